package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"fn-runtime/test/proxy"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// tunnelProxy is a proxy that accepts CONNECT and terminates TLS for IBM's hosts with the endpoint's own certificate.
// It counts and delays the requests before it forwards them to the endpoint's proxy.
type tunnelProxy struct {
	*proxy.Proxy
	transport *http.Transport
	door      net.Listener
	servers   sync.WaitGroup
	relay     *http.Server
}

func newTunnelProxy(endpoint string, cert tls.Certificate) (*tunnelProxy, error) {
	through, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	w := &tunnelProxy{transport: &http.Transport{Proxy: http.ProxyURL(through), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 64}}
	w.relay = &http.Server{Handler: &httputil.ReverseProxy{Transport: w.transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "https", Host: r.In.Host})
	}}, ReadHeaderTimeout: time.Minute}
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if w.door, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if w.Proxy, err = proxy.New("http://"+behind.Addr().String(), &cert); err != nil {
		return nil, err
	}
	w.servers.Go(func() { _ = w.relay.Serve(behind) })
	w.servers.Go(w.admit)
	return w, nil
}

// admit connects every tunnel to the proxy that counts and delays.
func (w *tunnelProxy) admit() {
	for {
		client, err := w.door.Accept()
		if err != nil {
			return
		}
		w.servers.Go(func() {
			defer client.Close()
			if err := tunnel(client, strings.TrimPrefix(w.URL, "https://")); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		})
	}
}

func (w *tunnelProxy) close() {
	_, _ = w.door.Close(), w.relay.Close()
	w.transport.CloseIdleConnections()
	w.servers.Wait()
}

// tunnel accepts a CONNECT to any host, and copies bytes between the client and a server until one of them closes.
func tunnel(client net.Conn, server string) error {
	in := bufio.NewReader(client)
	req, err := http.ReadRequest(in)
	if err != nil || req.Method != http.MethodConnect {
		return fmt.Errorf("no CONNECT: %w", err)
	}
	there, err := net.Dial("tcp", server)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return err
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(there, in)
		_ = there.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(client, there)
		_ = client.Close()
	})
	both.Wait()
	return nil
}
