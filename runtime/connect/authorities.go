package connect

import (
	"crypto/x509"
	"net/http"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// certificates are those that the servers have shown, by the name of the check that asks them. It may be used from several
// goroutines.
type certificates struct {
	mu    sync.Mutex
	shown map[string]shown
}

type shown struct {
	host  string              // as it was asked for, without port
	chain []*x509.Certificate // the server's own first; empty without TLS
}

// watch remembers what certificates a check's server shows to next.
func (c *certificates) watch(check string, next http.RoundTripper) http.RoundTripper {
	return watched(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil && resp.TLS != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.shown == nil {
				c.shown = map[string]shown{}
			}
			c.shown[check] = shown{req.URL.Hostname(), resp.TLS.PeerCertificates}
		}
		return resp, err
	})
}

type watched func(*http.Request) (*http.Response, error)

func (w watched) RoundTrip(req *http.Request) (*http.Response, error) { return w(req) }

func (c *certificates) of(check string) shown {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown[check]
}

// bundle is a variable with which the client's libraries are told whom to trust, and whom they trust then: nobody else,
// whereas this program trusts them beside the system's authorities.
type bundle struct{ variable, file string }

// clientBundle returns the bundle that counts where the client speaks to a check's server; the zero bundle where none is
// set. The compute service is asked through Python's requests, the store through botocore.
func clientBundle(check string, getenv func(string) string) bundle {
	second := "CURL_CA_BUNDLE"
	first := "REQUESTS_CA_BUNDLE"
	if check == "bucket" {
		first, second = "AWS_CA_BUNDLE", first
	}
	for _, name := range []string{first, second} {
		if file := getenv(name); file != "" {
			return bundle{name, file}
		}
	}
	return bundle{variable: first}
}

// distrust returns why the client would not believe the server that a check has asked; nil where it would, and where
// nothing is known.
func (p *opening) distrust(check string) error {
	server, b := p.certificates.of(check), clientBundle(check, p.o.Host.Getenv)
	if len(server.chain) == 0 || b.file == "" || check == "session" && p.compute.Insecure {
		return nil
	}
	pem, err := regular.ReadCABundle(b.file)
	if err != nil {
		return nil //nolint:nilerr // then there was no answer either
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, c := range server.chain[1:] {
		others.AddCert(c)
	}
	if _, err := server.chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, DNSName: server.host}); err == nil {
		return nil
	}
	return fault.New(fault.Invalid,
		i18n.M("The Lithops client trusts only the certificate authorities in {{.File}} ({{.Variable}}). None of them signed the certificate of {{.Host}}, so Lithops jobs would fail.",
			"File", b.file, "Variable", b.variable, "Host", server.host),
		i18n.M("Add the certificate authority of {{.Host}} to {{.File}}, or unset {{.Variable}}.", "Host", server.host, "File", b.file, "Variable", b.variable))
}
