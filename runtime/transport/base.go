package transport

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// newBase creates Go's http.Transport, with the proxies of the options or the environment, IPv4 and IPv6, and as many
// idle connections as requests may be in flight. It uses HTTP/1.1, as the Lithops client does: each request has its own
// connection, so neither a body that a gateway does not read yet nor a dead connection delays other requests.
// Certificates are read by the first request, not at startup.
func newBase(o Options) http.RoundTripper {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	build := func(roots *x509.CertPool) *http.Transport {
		dialer := &net.Dialer{Timeout: min(o.Timeout, 15*time.Second), KeepAlive: 30 * time.Second}
		return &http.Transport{
			Proxy:                  o.proxyOf,
			OnProxyConnectResponse: connectRefused,
			DialContext:            dialer.DialContext,
			Protocols:              protocols,
			MaxIdleConns:           4 * o.Concurrency,
			MaxIdleConnsPerHost:    o.Concurrency,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    min(o.Timeout, 15*time.Second),
			ExpectContinueTimeout:  time.Second,
			// Headers are a few hundred bytes, but a hostile server may send endless ones.
			MaxResponseHeaderBytes: 256 << 10,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12,
				RootCAs:            roots,
				InsecureSkipVerify: o.SkipTLSVerify, // the user's own setting in the session or configuration
			},
		}
	}
	load := sync.OnceValues(func() (*http.Transport, error) {
		roots, err := rootCAs(o)
		if err != nil {
			return nil, err
		}
		return build(roots), nil
	})
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		t, err := load()
		if err != nil {
			return nil, err
		}
		return t.RoundTrip(req)
	})
}

// rootCAs returns the certificates of the system and of the options. It returns nil if there are only those of the
// system.
func rootCAs(o Options) (*x509.CertPool, error) {
	extra := o.CAs
	for _, name := range o.CAFiles {
		if name == "" {
			continue
		}
		pem, err := regular.ReadCABundle(name)
		if err != nil {
			return nil, fault.New(fault.Invalid,
				i18n.M("The certificate bundle {{.File}} cannot be read: {{.Error}}.", "File", name, "Error", err),
				i18n.M("Correct or unset SSL_CERT_FILE, REQUESTS_CA_BUNDLE and AWS_CA_BUNDLE.")).Because(err)
		}
		extra = append(slices.Clip(extra), pem)
	}
	if len(extra) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, pem := range extra {
		pool.AppendCertsFromPEM(pem)
	}
	return pool, nil
}
