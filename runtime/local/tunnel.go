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

// tunnel is the proxy through which clients reach this endpoint at IBM's host names, because clients do not allow these
// names to be changed. It accepts CONNECT requests for exactly these hosts and passes the connections to the API's
// server, so it never connects to other machines. It rejects clients without the secret with 407. The tunnel is also
// the net.Listener of the API's server.
type tunnel struct {
	secret string
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

// proxyUser is the user name in the proxy URL.
const proxyUser = "fn-runtime"

func newTunnel(secret string, addr net.Addr) *tunnel {
	return &tunnel{secret: secret, conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
}

// ServeHTTP handles requests to the proxy.
func (t *tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !t.authorized(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="fn-runtime"`)
		http.Error(w, "The proxy of the local endpoint requires the credentials of its URL.", http.StatusProxyAuthRequired)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil || port != "443" || !cloudHost(host) {
		http.Error(w, "The proxy of the local endpoint only accepts connections to the hosts of the Code Engine API.", http.StatusForbidden)
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

// authorized reports whether a request contains the proxy's credentials.
func (t *tunnel) authorized(r *http.Request) bool {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+t.secret))
	return t.secret != "" && hmac.Equal([]byte(r.Header.Get("Proxy-Authorization")), []byte(want))
}

// Accept returns the next tunneled connection.
func (t *tunnel) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting connections.
func (t *tunnel) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

// Addr returns the address of the proxy.
func (t *tunnel) Addr() net.Addr { return t.addr }

// server returns the HTTP server of the proxy. Its timeouts apply only until a connection is tunneled.
func (t *tunnel) server(log *slog.Logger) *http.Server {
	return &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
}

// cloudHost reports whether a host name, with or without port 443, is one that the tunnel accepts.
func cloudHost(host string) bool {
	return slices.Contains(codeengine.Hosts(), strings.TrimSuffix(strings.ToLower(host), ":443"))
}

// cloudService returns the API that a request is for, as the service name in the log.
func cloudService(r *http.Request) string {
	if strings.HasPrefix(r.Host, codeengine.IAMHost) {
		return "iam"
	}
	return "codeengine"
}
