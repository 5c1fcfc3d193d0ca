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

// newBase makes Go's transport: proxies from the options or the environment, IPv4 and IPv6, connections kept for as many requests as may
// be in flight. It speaks HTTP/1.1, as the client does whose work this is: each request has a connection of its own, so
// that a body which a gateway does not read yet, or a connection that has died, holds up nothing else. Certificates are
// read when they are needed, not at start-up.
func newBase(o Options) http.RoundTripper {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	build := func(roots *x509.CertPool) *http.Transport {
		dialer := &net.Dialer{Timeout: min(o.Timeout, 15*time.Second), KeepAlive: 30 * time.Second}
		return &http.Transport{
			Proxy:                  o.proxyOf,
			OnProxyConnectResponse: tunnelRefused,
			DialContext:            dialer.DialContext,
			Protocols:              protocols,
			MaxIdleConns:           4 * o.Concurrency,
			MaxIdleConnsPerHost:    o.Concurrency,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    min(o.Timeout, 15*time.Second),
			ExpectContinueTimeout:  time.Second,
			// A header is a few hundred bytes; a hostile server may send without end.
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

// rootCAs returns the system's certificates and those of the options; nil means the system's alone.
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
