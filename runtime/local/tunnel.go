package local

import (
	"crypto/hmac"
	"crypto/tls"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/codeengine"
)

// tunnel is the proxy through which clients find this endpoint at the names of IBM's hosts, which they do not let
// anybody change. It answers CONNECT for exactly those hosts and hands the connection to the server of the API, so it
// never reaches anything outside; whoever has not got the secret of its address gets no further than 407.
type tunnel struct {
	secret string
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

// proxyUser is the name that goes with the secret.
const proxyUser = "fn-runtime"

func newTunnel(secret string, addr net.Addr) *tunnel {
	return &tunnel{secret: secret, conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
}

// ServeHTTP answers the proxy's own requests.
func (t *tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !t.admits(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="fn-runtime"`)
		http.Error(w, "The proxy of the local endpoint needs the credentials of its address.", http.StatusProxyAuthRequired)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil || port != "443" || !cloudHost(host) {
		http.Error(w, "The proxy of the local endpoint leads to the hosts of Code Engine's API only.", http.StatusForbidden)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	select {
	case t.conns <- conn:
	case <-t.closed:
		_ = conn.Close()
	}
}

func (t *tunnel) admits(r *http.Request) bool {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+t.secret))
	return t.secret != "" && hmac.Equal([]byte(r.Header.Get("Proxy-Authorization")), []byte(want))
}

// Accept returns the next connection that has been let through: tunnel is the listener of the API's server.
func (t *tunnel) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close lets nobody through any more.
func (t *tunnel) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

// Addr is the address of the proxy.
func (t *tunnel) Addr() net.Addr { return t.addr }

// server is the proxy's own. A tunnel is none of its connections any more, so what it limits is the way in.
func (t *tunnel) server(log *slog.Logger) *http.Server {
	return &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
}

// cloudHost reports whether a name, with or without port, is one that the tunnel leads to.
func cloudHost(host string) bool {
	return slices.Contains(codeengine.Hosts(), strings.TrimSuffix(strings.ToLower(host), ":443"))
}

// cloudService names the API of a request for the record.
func cloudService(r *http.Request) string {
	if strings.HasPrefix(r.Host, codeengine.IAMHost) {
		return "iam"
	}
	return "codeengine"
}
