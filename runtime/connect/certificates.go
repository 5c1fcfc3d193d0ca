package connect

import (
	"crypto/x509"
	"net/http"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// certificates records the certificates that servers presented, by the name of the check that contacts the server. It
// is safe for concurrent use.
type certificates struct {
	mu    sync.Mutex
	peers map[string]peer
}

// peer is a server that was contacted.
type peer struct {
	host  string              // host name in the request, without port
	chain []*x509.Certificate // starts with the certificate of the server; empty without TLS
}

// record wraps next and records the certificates that the server of a check presents.
func (c *certificates) record(check string, next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil && resp.TLS != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.peers == nil {
				c.peers = map[string]peer{}
			}
			c.peers[check] = peer{req.URL.Hostname(), resp.TLS.PeerCertificates}
		}
		return resp, err
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (w roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return w(req) }

func (c *certificates) peer(check string) peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peers[check]
}

// caBundle is a bundle of trusted CA certificates for the HTTP libraries of the Lithops client: the environment
// variable that sets it, and its file. The libraries trust only the CAs in the bundle. This program trusts the CAs of
// the system in addition.
type caBundle struct{ variable, file string }

// clientCABundle returns the CA bundle that the client uses for the server of a check, with an empty file if none is
// set. The client uses Python requests for the compute service and botocore for the storage service.
func clientCABundle(check string, getenv func(string) string) caBundle {
	second := "CURL_CA_BUNDLE"
	first := "REQUESTS_CA_BUNDLE"
	if check == "bucket" {
		first, second = "AWS_CA_BUNDLE", first
	}
	for _, name := range []string{first, second} {
		if file := getenv(name); file != "" {
			return caBundle{name, file}
		}
	}
	return caBundle{variable: first}
}

// clientTrustProblem returns the reason why the client would not trust the server that a check has contacted. It
// returns nil if the client trusts the server or no certificate has been recorded.
func (p *opening) clientTrustProblem(check string) error {
	server, b := p.certificates.peer(check), clientCABundle(check, p.o.Host.Getenv)
	if len(server.chain) == 0 || b.file == "" || check == "session" && p.compute.Insecure {
		return nil
	}
	pem, err := regular.ReadCABundle(b.file)
	if err != nil {
		return nil //nolint:nilerr // no request succeeds if the bundle is unreadable
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, c := range server.chain[1:] {
		intermediates.AddCert(c)
	}
	if _, err := server.chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: server.host}); err == nil {
		return nil
	}
	return fault.New(fault.Invalid,
		i18n.M("The Lithops client trusts only the certificate authorities in {{.File}} ({{.Variable}}). None of them signed the certificate of {{.Host}}, so Lithops jobs would fail.",
			"File", b.file, "Variable", b.variable, "Host", server.host),
		i18n.M("Add the certificate authority of {{.Host}} to {{.File}}, or unset {{.Variable}}.", "Host", server.host, "File", b.file, "Variable", b.variable))
}
