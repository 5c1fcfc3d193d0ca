package local

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/codeengine"
	"fn-runtime/runtime/regular"
)

// Lifetimes of the endpoint's own authority and of the certificate it signs. Each is renewed when renewBefore is left.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	certLifetime = 90 * 24 * time.Hour
	renewBefore  = 30 * 24 * time.Hour
)

// certs returns the server certificate, made anew when it runs out while the endpoint runs.
type certs struct {
	dir string
	issuance
	now func() time.Time
	mu  sync.Mutex
	tls *tls.Certificate
}

// issuance is an authority, the names that it may vouch for and does, and the files of both.
type issuance struct {
	ca, caKey, cert, certKey string // files
	bundle                   string // with all authorities that clients are to trust
	names                    []string
	addresses                []net.IP
	networks                 []*net.IPNet
	trusted                  []string // files of further authorities of ours for the bundle
}

// ofMachine is the issuance for the names of this machine: a stolen key opens nothing else to those who trust it.
func ofMachine() issuance {
	return issuance{
		ca: caFile, caKey: caKeyFile, cert: certFile, certKey: certKeyFile, bundle: bundleFile,
		names: []string{"localhost"}, addresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		networks: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
}

// ofCloud is the issuance for the names of IBM's hosts that the proxy stands for. Its authority is in no bundle but its
// own.
func ofCloud() issuance {
	return issuance{
		ca: cloudCAFile, caKey: cloudCAKeyFile, cert: cloudCertFile, certKey: cloudCertKeyFile, bundle: cloudBundleFile,
		names: codeengine.Hosts(), trusted: []string{caFile},
	}
}

// newCerts makes what is missing, and the files that clients read.
func newCerts(dir string, now func() time.Time, i issuance) (*certs, error) {
	c := &certs{dir: dir, now: now, issuance: i}
	if _, err := c.current(); err != nil {
		return nil, err
	}
	return c, c.writeBundle()
}

func (c *certs) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current() }

func (c *certs) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tls != nil && c.fresh(c.tls.Leaf) {
		return c.tls, nil
	}
	ca, caKey, err := c.authority()
	if err != nil {
		return nil, err
	}
	if pair, err := tls.LoadX509KeyPair(c.path(c.cert), c.path(c.certKey)); err == nil &&
		c.fresh(pair.Leaf) && pair.Leaf.CheckSignatureFrom(ca) == nil {
		c.tls = &pair
		return c.tls, nil
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "fn-runtime local endpoint"},
		DNSNames:    c.names,
		IPAddresses: c.addresses,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	key, err := c.issue(template, ca, caKey, certLifetime, c.cert, c.certKey)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(c.path(c.cert), c.path(c.certKey))
	if err != nil {
		return nil, err
	}
	pair.PrivateKey = key
	c.tls = &pair
	return c.tls, nil
}

func (c *certs) path(name string) string { return filepath.Join(c.dir, name) }

func (c *certs) fresh(cert *x509.Certificate) bool {
	now := c.now()
	return cert != nil && !now.Before(cert.NotBefore) && now.Add(renewBefore).Before(cert.NotAfter)
}

// authority reads or makes the authority. It may only vouch for the names of its issuance.
func (c *certs) authority() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	if pair, err := tls.LoadX509KeyPair(c.path(c.ca), c.path(c.caKey)); err == nil && c.fresh(pair.Leaf) {
		if key, ok := pair.PrivateKey.(*ecdsa.PrivateKey); ok {
			return pair.Leaf, key, nil
		}
	}
	template := &x509.Certificate{
		Subject:                     pkix.Name{CommonName: "fn-runtime local authority"},
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         c.names,
		PermittedIPRanges:           c.networks,
	}
	key, err := c.issue(template, template, nil, caLifetime, c.ca, c.caKey)
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.LoadX509KeyPair(c.path(c.ca), c.path(c.caKey))
	if err != nil {
		return nil, nil, err
	}
	return pair.Leaf, key, c.writeBundle() // also while the endpoint runs: workers read it as they start
}

// issue makes a key and a certificate for it, signed by parent (by itself when parentKey is nil), and writes both.
func (c *certs) issue(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, lifetime time.Duration, certName, keyName string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if parentKey == nil {
		parentKey = key
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := c.now()
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = now.Add(-24*time.Hour), now.Add(lifetime)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, errors.Join(
		writeFile(c.path(keyName), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		writeFile(c.path(certName), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	)
}

// systemBundles is where systems keep the authorities that they trust, as crypto/x509 looks for them.
var systemBundles = [...]string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// writeBundle writes the system's authorities, those of REQUESTS_CA_BUNDLE and ours into one file: that variable
// replaces what a client trusts, and a program that reaches this endpoint must still reach the rest of the world.
func (c *certs) writeBundle() error {
	own, err := os.ReadFile(c.path(c.ca))
	if err != nil {
		return err
	}
	var system []byte
	for _, path := range append([]string{os.Getenv("SSL_CERT_FILE")}, systemBundles[:]...) {
		if system, err = regular.ReadCABundle(path); err == nil {
			break
		}
	}
	site, _ := regular.ReadCABundle(os.Getenv("REQUESTS_CA_BUNDLE")) // which may be this very file
	var all bytes.Buffer
	seen := map[string]bool{}
	texts := [][]byte{system, site, own}
	for _, name := range c.trusted {
		text, err := os.ReadFile(c.path(name))
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	if cloud, _ := os.ReadFile(c.path(cloudCAFile)); c.ca != cloudCAFile { // the site's may be the bundle of the other issuance
		if block, _ := pem.Decode(cloud); block != nil {
			seen[string(block.Bytes)] = true
		}
	}
	for _, text := range texts {
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if der := string(block.Bytes); !seen[der] {
				seen[der] = true
				if err := pem.Encode(&all, &pem.Block{Type: block.Type, Bytes: block.Bytes}); err != nil {
					return err
				}
			}
		}
	}
	if err := writeFile(c.path(c.bundle), all.Bytes()); err != nil {
		return err
	}
	return os.Chmod(c.path(c.bundle), 0o644) //nolint:gosec // nothing secret; containers run as anybody, and read it
}
