package local

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/transport"
)

// Rejected requests do not count as activity: the endpoint reaches its idle timeout although it receives them.
func TestRejectedRequestsDoNotPreventIdleTimeout(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.IdleTimeout = 3 * time.Second
	i := mustStart(t, o)
	client := httpClient(t, i)
	deadline := time.Now().Add(time.Minute)
	rejected := 0
	for time.Now().Before(deadline) {
		for _, c := range []struct{ url, host, origin string }{
			{i.Endpoint + "/api/v1/namespaces", "", ""},
			{i.Endpoint + adminPrefix + "health", "", ""},
			{i.S3Endpoint + "/lithops-local", "", ""},
			{i.Endpoint + "/api/v1/namespaces", "evil.example", ""},
			{i.Endpoint + "/api/v1/namespaces", "", "https://evil.example"},
		} {
			req, _ := http.NewRequest("GET", c.url, nil)
			req.Host = c.host
			if c.origin != "" {
				req.Header.Set("Origin", c.origin)
			}
			resp, err := client.Do(req)
			if err != nil {
				if rejected == 0 {
					t.Fatal("no request was rejected:", err)
				}
				return // the endpoint has stopped
			}
			_ = resp.Body.Close()
			rejected++
		}
	}
	t.Fatalf("after %d rejected requests the endpoint still runs", rejected)
}

// Rejected requests occupy only a limited part of the log, so that they do not push out other entries.
func TestRejectedRequestsDoNotFillLog(t *testing.T) {
	o := options(t)
	i := mustStart(t, o)
	client := httpClient(t, i)
	client.Transport.(*http.Transport).DisableKeepAlives = false
	long := strings.Repeat("x", 30<<10)
	for n := range 300 {
		req, _ := http.NewRequest(strings.Repeat("M", 1000), fmt.Sprintf("%s/%d/%s?prefix=%s", i.S3Endpoint, n, long, long), nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Fatal(resp.Status)
		}
	}
	info, err := os.Stat(filepath.Join(o.Dir, logFile))
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(rejectedFirst * 2000); info.Size() > limit {
		t.Errorf("the log has %d bytes, want at most %d", info.Size(), limit)
	}
	reqs, err := Requests(o.Dir)
	if err != nil || len(reqs) < rejectedFirst {
		t.Errorf("%d requests are recorded, want the first %d: %v", len(reqs), rejectedFirst, err)
	}
}

// Status and Stop work even if all request slots are in use.
func TestCommandsNeedNoSlot(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	o := options(t)
	i := mustStart(t, o)
	// A request whose body has only been sent in part occupies a slot.
	config := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	hold := func() (net.Conn, error) {
		c, err := tls.Dial("tcp", strings.TrimPrefix(i.Endpoint, "https://"), config)
		if err == nil {
			_, err = fmt.Fprintf(c, "PUT /api/v1/namespaces/_/packages/p HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{", i.Token)
		}
		return c, err
	}
	conns := make(chan net.Conn, maxRequests)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range maxRequests / 8 {
				c, err := hold()
				if err != nil {
					t.Error(err)
					return
				}
				conns <- c
			}
		})
	}
	wg.Wait()
	close(conns)
	defer func() {
		for c := range conns {
			_ = c.Close()
		}
	}()
	if t.Failed() {
		return
	}
	if now, err := Status(t.Context(), o.Dir); err != nil || !now.Running || now.Hangs {
		t.Errorf("status of an endpoint with %d requests in flight: %v, %v", maxRequests, now, err)
	}
	other := httpClient(t, i)
	other.Timeout = 500 * time.Millisecond
	req, _ := http.NewRequest("GET", i.Endpoint+"/api/v1/namespaces", nil)
	req.Header.Set("Authorization", "Bearer "+i.Token)
	if resp, err := other.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Errorf("not all slots are in use, so this test proves nothing: %s", resp.Status)
	}
	begun := time.Now()
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Error(err)
	}
	if now, err := Status(t.Context(), o.Dir); err != nil || now.Running || now.PID != 0 || time.Since(begun) > stopTimeout {
		t.Errorf("after a stop of %v: %v, %v", time.Since(begun), now, err)
	}
}

// A request that gets no slot in time is answered with 503 and Retry-After, even if the client sends a body that is
// larger than the network buffers.
func TestRequestWithoutSlotIsRejected(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	h := limitConcurrency(make(chan struct{}, 1), 50*time.Millisecond, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		inside <- struct{}{}
		<-leave
	}))
	srv := httptest.NewServer(clientPace{grace: time.Minute, rate: 1 << 10, drain: maxDrain}.wrap(h))
	defer srv.Close()
	defer close(leave)
	go func() {
		if resp, err := http.Get(srv.URL); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-inside
	// Like Python's http.client, this client does not read before it has sent the complete body.
	c, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := strings.Repeat("x", 20<<20)
	if _, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatal("sending the body:", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Fatalf("got %v, %v, want 503 with Retry-After", resp, err)
	}
}

// Many concurrent uploads of actions and objects over one transport do not block each other.
func TestConcurrentUploads(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	o := options(t)
	i := mustStart(t, o)
	ca, err := os.ReadFile(i.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport.New(transport.Options{Auth: transport.Auth{Token: func(context.Context, bool) (string, error) { return i.Token, nil }}, Origin: i.Endpoint, CAs: [][]byte{ca}})}
	action := `{"exec":{"kind":"blackbox","image":"i","code":"` + strings.Repeat("A", 1<<20) + `"}}`
	begun := time.Now()
	var wg sync.WaitGroup
	for n := range 64 {
		for path, body := range map[string]string{
			fmt.Sprintf("/api/v1/namespaces/_/actions/a%d", n): action,
			fmt.Sprintf("/lithops-local/o%d", n):               strings.Repeat("o", 2<<20),
		} {
			wg.Go(func() {
				req, _ := http.NewRequest("PUT", i.Endpoint+path, strings.NewReader(body))
				req.Header.Set("Content-Type", "application/json")
				resp, err := client.Do(req)
				if err != nil {
					t.Error(path, err)
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Error(path, resp.Status)
				}
			})
		}
	}
	wg.Wait()
	if took := time.Since(begun); took > time.Minute { // a blocked upload would take 30 s until its retry
		t.Errorf("uploading 64 actions and 64 objects took %v, so uploads have blocked each other", took)
	}
	client.CloseIdleConnections()
}
