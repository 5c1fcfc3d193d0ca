package proxy

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// RefuseFrom makes the proxy refuse connections from its nth request on (1-based): dialing fails with ECONNREFUSED.
// Until then each request uses a separate connection, so that the nth has to dial. The proxy listens again after the
// given duration, or when Accept is called if the duration is 0. RefuseFrom clears the record. No request may be in
// flight.
func (p *Proxy) RefuseFrom(n int, after time.Duration) error {
	free, err := reserve(p.addr)
	if err != nil {
		return err
	}
	p.Reset()
	p.lifeMu.Lock()
	defer p.lifeMu.Unlock()
	p.closeAll() // including idle connections
	p.mu.Lock()
	p.refuse = &refusal{from: n, after: after, free: free}
	p.mu.Unlock()
	if n <= 1 {
		p.stopListening(p.refuse)
		return nil
	}
	l, err := listen(p.addr.String())
	if err == nil {
		p.serve(l, true)
	}
	return err
}

// Accept ends the refusal that RefuseFrom began. Connections accepted before continue.
func (p *Proxy) Accept() error {
	p.lifeMu.Lock()
	defer p.lifeMu.Unlock()
	return p.accept(nil)
}

// accept ends the given refusal unless a newer one has begun. A nil refusal matches any.
func (p *Proxy) accept(only *refusal) error {
	p.mu.Lock()
	r := p.refuse
	if r == nil || only != nil && r != only {
		p.mu.Unlock()
		return nil
	}
	p.refuse = nil
	p.mu.Unlock()
	defer r.free()
	_ = p.listener.Close()
	l, err := listen(p.addr.String())
	if err == nil {
		p.serve(l, false)
	}
	return err
}

// refusal is a period during which connections are refused.
type refusal struct {
	from  int
	after time.Duration
	free  func()
}

// stopListening closes the listener for the time of a refusal.
func (p *Proxy) stopListening(r *refusal) {
	_ = p.listener.Close()
	if r.after > 0 {
		time.AfterFunc(r.after, func() {
			p.lifeMu.Lock()
			defer p.lifeMu.Unlock()
			_ = p.accept(r)
		})
	}
}

// admit stops listening when the last request before the refused one has arrived. It also cuts open connections that
// carry a later request. It reports whether the request may proceed.
func (p *Proxy) admit(n int) bool {
	p.mu.Lock()
	r := p.refuse
	p.mu.Unlock()
	if r != nil && n == r.from-1 {
		p.lifeMu.Lock()
		p.stopListening(r)
		p.lifeMu.Unlock()
	}
	return r == nil || n < r.from
}

// serve accepts connections. If single is true, every request needs a separate connection.
func (p *Proxy) serve(l net.Listener, single bool) {
	s := &http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)} // its messages are about expected faults
	if single {
		s.SetKeepAlivesEnabled(false)
		s.Protocols = new(http.Protocols)
		s.Protocols.SetHTTP1(true)
	}
	p.listener, p.servers = l, append(p.servers, s)
	if p.cert != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*p.cert}}
		go s.ServeTLS(l, "", "")
	} else {
		go s.Serve(l)
	}
}

func (p *Proxy) closeAll() {
	for _, s := range p.servers {
		_ = s.Close()
	}
	p.servers = nil
}
