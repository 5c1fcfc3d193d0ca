// Package proxy implements a proxy between a program and a server on loopback. It records requests, delays each
// request, and injects faults into chosen ones. Benchmarks and fault tests share it.
package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Request is one request that the proxy received.
type Request struct {
	N      int // 1-based
	Method string
	Path   string // with query
	Status int    // 0 until there is a response, or if the connection was cut
	Start  time.Time
	End    time.Time // zero while the request is in flight
}

// Proxy forwards requests to one server.
type Proxy struct {
	URL   string
	Delay time.Duration // added before each request is forwarded

	target  *url.URL
	cert    *tls.Certificate
	addr    *net.TCPAddr
	forward *httputil.ReverseProxy

	lifeMu   sync.Mutex // guards the next two fields
	servers  []*http.Server
	listener net.Listener

	mu     sync.Mutex
	seen   []*Request
	fault  func(Request) Fault
	refuse *refusal // nil if connections are accepted
}

// Fault responds instead of the server or alters its response. A nil Fault forwards the request unchanged.
type Fault func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// New starts a proxy in front of target ("https://127.0.0.1:1234", "unix:///var/run/docker.sock"). If cert is not nil,
// it serves TLS. It does not verify the target's certificate because both ends are on this machine.
func New(target string, cert *tls.Certificate) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		MaxIdleConnsPerHost: 256,
		DisableCompression:  true,
	}
	if socket := u.Path; u.Scheme == "unix" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
		u = &url.URL{Scheme: "http", Host: "socket"}
	}
	p := &Proxy{target: u, cert: cert}
	p.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = r.In.Host // signatures cover it
		},
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // cut connections are expected
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) },
	}
	l, err := listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.addr = l.Addr().(*net.TCPAddr)
	p.URL = "http://" + p.addr.String()
	if cert != nil {
		p.URL = "https://" + p.addr.String()
	}
	p.serve(l, false)
	return p, nil
}

// Close cuts every connection.
func (p *Proxy) Close() {
	p.mu.Lock()
	r := p.refuse
	p.refuse = nil
	p.mu.Unlock()
	if r != nil {
		r.free()
	}
	p.lifeMu.Lock()
	defer p.lifeMu.Unlock()
	p.closeAll()
}

// Inject sets the function that chooses the fault of each further request. A nil function ends the injection.
func (p *Proxy) Inject(choose func(Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = choose
}

// Reset clears the record, so that the next request is number 1.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = nil
}

// Record returns the requests so far.
func (p *Proxy) Record() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Request, len(p.seen))
	for i, r := range p.seen {
		out[i] = *r
	}
	return out
}

// ServeHTTP handles one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	rec := &Request{N: len(p.seen) + 1, Method: r.Method, Path: r.URL.RequestURI(), Start: time.Now()}
	p.seen = append(p.seen, rec)
	var fault Fault
	if p.fault != nil {
		fault = p.fault(*rec)
	}
	p.mu.Unlock()
	if !p.admit(rec.N) {
		panic(http.ErrAbortHandler)
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		rec.End = time.Now()
	}()
	if p.Delay > 0 {
		if err := wait(r.Context(), p.Delay); err != nil {
			return
		}
	}
	sw := &statusWriter{ResponseWriter: w, note: func(code int) {
		p.mu.Lock()
		rec.Status = code
		p.mu.Unlock()
	}}
	if fault != nil {
		fault(sw, r, p.forward)
		return
	}
	// Without full duplex, an early response of the server ends the request body, and with it the connection that
	// carries the response.
	_ = http.NewResponseController(w).EnableFullDuplex()
	p.forward.ServeHTTP(sw, r)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type statusWriter struct {
	http.ResponseWriter
	note func(int)
}

func (w *statusWriter) WriteHeader(code int) {
	w.note(code)
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// drain reads the rest of a body, so that the connection can be reused.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
