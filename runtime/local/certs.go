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

// Lifetimes of the endpoint's CA and of the server certificates that it signs. Each is renewed when less than
// renewBefore of its lifetime is left.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	certLifetime = 90 * 24 * time.Hour
	renewBefore  = 30 * 24 * time.Hour
)

// certs provides a server certificate and renews it while the endpoint runs.
type certs struct {
	dir string
	issuance
	now func() time.Time
	mu  sync.Mutex
	tls *tls.Certificate
}

// issuance describes a CA and its server certificate: their files, and the host names and addresses for which they are
// valid.
type issuance struct {
	ca, caKey, cert, certKey string // files
	bundle                   string // file with all CAs that clients must trust
	names                    []string
	addresses                []net.IP
	networks                 []*net.IPNet // address ranges to which the CA is limited
	trusted                  []string     // files of other CAs of the endpoint, for the bundle
}

// localIssuance returns the issuance for the loopback names of this machine. The CA is limited to these names, so that
// a stolen key cannot be used to impersonate other hosts.
func localIssuance() issuance {
	return issuance{
		ca: caFile, caKey: caKeyFile, cert: certFile, certKey: certKeyFile, bundle: bundleFile,
		names: []string{"localhost"}, addresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		networks: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
}

// cloudIssuance returns the issuance for the IBM host names that the proxy serves. Only its own bundle contains its CA.
func cloudIssuance() issuance {
	return issuance{
		ca: cloudCAFile, caKey: cloudCAKeyFile, cert: cloudCertFile, certKey: cloudCertKeyFile, bundle: cloudBundleFile,
		names: codeengine.Hosts(), trusted: []string{caFile},
	}
}

// newCerts returns the certificates of an issuance. It creates missing files, renews expiring certificates and writes
// the bundle.
func newCerts(dir string, now func() time.Time, i issuance) (*certs, error) {
	c := &certs{dir: dir, now: now, issuance: i}
	if _, err := c.current(); err != nil {
		return nil, err
	}
	return c, c.writeBundle()
}

// get implements tls.Config.GetCertificate.
func (c *certs) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current() }

// current returns the server certificate. It issues a new one if the certificate is missing or about to expire.
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

// fresh reports whether a certificate is valid and does not need to be renewed yet.
func (c *certs) fresh(cert *x509.Certificate) bool {
	now := c.now()
	return cert != nil && !now.Before(cert.NotBefore) && now.Add(renewBefore).Before(cert.NotAfter)
}

// authority returns the CA of the issuance and its key. It creates the CA if it is missing or about to expire. Name
// constraints limit the CA to the names and addresses of the issuance.
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
	return pair.Leaf, key, c.writeBundle() // needed even while the endpoint runs: each new worker reads the bundle
}

// issue creates a key and a certificate that is signed by parent, or self-signed if parentKey is nil. It writes both to
// files.
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

// systemBundles lists the files in which systems store their trusted CAs. Source: crypto/x509.
var systemBundles = [...]string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// writeBundle writes a file with the system's CAs, the CAs of REQUESTS_CA_BUNDLE and the endpoint's CA. Clients use
// this file as REQUESTS_CA_BUNDLE, which replaces their trusted CAs. It contains the other CAs so that clients can
// still connect to other hosts.
func (c *certs) writeBundle() error {
	ca, err := os.ReadFile(c.path(c.ca))
	if err != nil {
		return err
	}
	var system []byte
	for _, path := range append([]string{os.Getenv("SSL_CERT_FILE")}, systemBundles[:]...) {
		if system, err = regular.ReadCABundle(path); err == nil {
			break
		}
	}
	user, _ := regular.ReadCABundle(os.Getenv("REQUESTS_CA_BUNDLE")) // may be the file that is written here
	var bundle bytes.Buffer
	seen := map[string]bool{}
	texts := [][]byte{system, user, ca}
	for _, name := range c.trusted {
		text, err := os.ReadFile(c.path(name))
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	if cloud, _ := os.ReadFile(c.path(cloudCAFile)); c.ca != cloudCAFile { // the user's bundle may be that of the other issuance
		if block, _ := pem.Decode(cloud); block != nil {
			seen[string(block.Bytes)] = true
		}
	}
	for _, text := range texts {
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if der := string(block.Bytes); !seen[der] {
				seen[der] = true
				if err := pem.Encode(&bundle, &pem.Block{Type: block.Type, Bytes: block.Bytes}); err != nil {
					return err
				}
			}
		}
	}
	if err := writeFile(c.path(c.bundle), bundle.Bytes()); err != nil {
		return err
	}
	return os.Chmod(c.path(c.bundle), 0o644) //nolint:gosec // not secret; containers read it and may run as any user
}
