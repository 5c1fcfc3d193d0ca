package transport

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// get sends a GET request that is not retried for long.
func get(t *testing.T, o Options, url string) (*http.Response, error) {
	t.Helper()
	o.Deadline = time.Millisecond
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return New(o).RoundTrip(req)
}

// startServer starts a server that handles each connection with serve.
func startServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				_, _ = c.Read(buf)
				serve(c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestFaults(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	closed := startServer(t, func(net.Conn) {})
	gone, _ := net.Listen("tcp", "127.0.0.1:0")
	gone.Close()
	short := Options{Timeout: 80 * time.Millisecond}
	cases := []struct {
		name string
		o    Options
		url  string
		kind fault.Kind
		want string
	}{
		{"refused", Options{}, "http://" + gone.Addr().String(), fault.Unavailable, "refuses connections"},
		{"closed", Options{}, closed, fault.Unavailable, "was lost"},
		{"no such host", Options{}, "https://no-such-host.invalid", fault.Unavailable, "could not be resolved"},
		{"hang", short, startServer(t, func(net.Conn) { <-hang }), fault.Timeout, "in time"},
		{"hang in the body", short, startServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
			<-hang
		}), fault.Timeout, "in time"},
		{"cut", Options{}, startServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
		}), fault.Unavailable, "middle"},
		{"too long, as announced", Options{MaxBody: 10}, startServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
		}), fault.TooLarge, "more than 10"},
		{"too long, as found", Options{MaxBody: 10}, startServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n"+strings.Repeat("x", 32)+"\r\n0\r\n\r\n")
		}), fault.TooLarge, "more than 10"},
		{"no HTTP", Options{}, startServer(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 smtp ready\r\n") }), fault.Unavailable, "was lost"},
		{"no TLS", Options{}, strings.Replace(startServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}), "http:", "https:", 1), fault.Invalid, "does not support TLS"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := get(t, c.o, c.url)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Kind != c.kind || !strings.Contains(err.Error(), c.want) || f.Recovery.IsZero() {
				t.Errorf("got %q (%s)", err, fault.KindOf(err))
			}
		})
	}
}

// A body that trickles, with each byte just in time, fails at the time limit for the whole body.
func TestTricklingBodyEnds(t *testing.T) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	url := startServer(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
			case <-stop:
				return
			}
		}
	})
	rt := &readBody{next: http.DefaultTransport, timeout: time.Minute, bodyTime: 100 * time.Millisecond, maxBody: 1 << 20}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if _, err := rt.RoundTrip(req); !errors.As(err, new(stalled)) {
		t.Errorf("got %v", err)
	}
}

func TestInterruptedStaysInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := startServer(t, func(c net.Conn) { cancel(); _, _ = io.Copy(io.Discard, c) })
	req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	if _, err := New(Options{}).RoundTrip(req); fault.KindOf(err) != fault.Interrupted {
		t.Errorf("got %v", err)
	}
}

func TestWebPage(t *testing.T) {
	for status, kind := range map[int]fault.Kind{200: fault.Unavailable, 401: fault.Denied, 404: fault.Unavailable, 409: fault.Unavailable, 413: fault.TooLarge, 503: fault.Unavailable, 504: fault.Timeout} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>Sign in</html>")
		}))
		_, err := get(t, Options{}, srv.URL)
		srv.Close()
		want := "web page"
		if kind == fault.TooLarge { // nginx in front of an API
			want = "rejects requests as large as this one"
		}
		if got := fault.KindOf(err); got != kind || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: got %v (%s), want a fault of kind %s with %q", status, err, got, kind, want)
		}
	}
}

func TestCertificates(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, Options{}, srv.URL); fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "is not trusted") {
		t.Errorf("unknown: %v", err)
	}
	for name, o := range map[string]Options{"CA": {CAs: [][]byte{ca}}, "file": {CAFiles: []string{"", file}}, "directory": {CAFiles: []string{filepath.Dir(file)}}, "insecure": {SkipTLSVerify: true}} {
		if _, err := get(t, o, srv.URL); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := file + ".not"
	if _, err := get(t, Options{CAFiles: []string{bad}}, srv.URL); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%s: %v", bad, err)
	}
}

// Consecutive requests share a connection.
func TestConnectionsAreReused(t *testing.T) {
	conns := 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns++
		}
	}
	srv.StartTLS()
	defer srv.Close()
	rt := New(Options{SkipTLSVerify: true})
	for range 3 {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		if resp, err := rt.RoundTrip(req); err != nil {
			t.Fatalf("got %v, %v", resp, err)
		}
	}
	if conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
}

// A gateway that processes a few requests at a time, and thus reads some bodies later than others, must receive the
// bodies that it reads, even if it offers HTTP/2.
func TestUploadsDoNotWaitForOneAnother(t *testing.T) {
	const uploads = 64
	var held atomic.Int32
	lastRead := make(chan struct{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := held.Add(1) == uploads
		if !last {
			<-lastRead
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != 1<<20 {
			t.Errorf("got %d bytes, %v", n, err)
		}
		if last {
			close(lastRead)
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	rt := New(Options{SkipTLSVerify: true, Timeout: time.Minute})
	var group sync.WaitGroup
	for range uploads {
		group.Go(func() {
			req, _ := http.NewRequestWithContext(t.Context(), "PUT", srv.URL, bytes.NewReader(make([]byte, 1<<20)))
			if _, err := rt.RoundTrip(req); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := held.Load(); n != uploads {
		t.Errorf("got %d requests, want %d: uploads waited for one another until they were retried", n, uploads)
	}
}

// A body without GetBody, as the S3 SDK sends it, is retried in full.
func TestReplayWithoutGetBody(t *testing.T) {
	s := &script{steps: []step{{err: refused}, {status: 200}}}
	req := request(t, t.Context(), "PUT", "")
	req.Body = io.NopCloser(strings.NewReader("payload"))
	if _, err := New(Options{Base: s}).RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if strings.Join(s.sent, ",") != "payload,payload" {
		t.Errorf("sent %q", s.sent)
	}
}

// The addresses of this machine's interfaces, such as the bridge to its containers, count as this machine, because data
// sent to them does not leave it. Host names other than localhost do not count, because a name server resolves them.
func TestAddressesOfThisMachine(t *testing.T) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if host := a.(*net.IPNet).IP.String(); !ThisMachine(host) {
			t.Errorf("%s: got another machine, want this one", host)
		}
	}
	for host, want := range map[string]bool{"localhost": true, "127.0.0.9": true, "::1": true, "192.0.2.7": false, "localhost.example": false, "": false} {
		if got := ThisMachine(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
