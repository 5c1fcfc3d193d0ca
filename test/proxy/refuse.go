package proxy

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// RefuseFrom makes the proxy refuse connections from its nth request on (1 for the first): who dials gets ECONNREFUSED.
// Until then each request has a connection of its own, so that the nth has to dial. The proxy listens again after a
// while, or with 0 when Accept is called. The record begins anew; nothing may be on its way.
func (p *Proxy) RefuseFrom(n int, after time.Duration) error {
	free, err := keep(p.addr)
	if err != nil {
		return err
	}
	p.Reset()
	p.life.Lock()
	defer p.life.Unlock()
	p.closeAll() // with every connection that is kept
	p.mu.Lock()
	p.refuse = &refusal{from: n, after: after, free: free}
	p.mu.Unlock()
	if n <= 1 {
		p.down(p.refuse)
		return nil
	}
	l, err := listen(p.addr.String())
	if err == nil {
		p.serve(l, true)
	}
	return err
}

// Accept ends what RefuseFrom began. What was accepted before goes on.
func (p *Proxy) Accept() error {
	p.life.Lock()
	defer p.life.Unlock()
	return p.accept(nil)
}

// accept is Accept, unless another refusal than the given one has begun; nil is any.
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

// refusal is a time in which connections are refused.
type refusal struct {
	from  int
	after time.Duration
	free  func()
}

// down stops listening.
func (p *Proxy) down(r *refusal) {
	_ = p.listener.Close()
	if r.after > 0 {
		time.AfterFunc(r.after, func() {
			p.life.Lock()
			defer p.life.Unlock()
			_ = p.accept(r)
		})
	}
}

// counted ends the listening when the last request before the refused one has come, and cuts those that were connected
// already but are later. It tells whether the request may go on.
func (p *Proxy) counted(n int) bool {
	p.mu.Lock()
	r := p.refuse
	p.mu.Unlock()
	if r != nil && n == r.from-1 {
		p.life.Lock()
		p.down(r)
		p.life.Unlock()
	}
	return r == nil || n < r.from
}

// serve answers who dials. single gives every request a connection of its own.
func (p *Proxy) serve(l net.Listener, single bool) {
	s := &http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)} // what it would say is what was asked of it
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
