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

// TestStrangersDoNotKeepTheEndpointAlive: an endpoint that nobody with credentials uses ends, whoever knocks.
func TestStrangersDoNotKeepTheEndpointAlive(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.IdleTimeout = 3 * time.Second
	i := mustStart(t, o)
	client := httpClient(t, i)
	deadline := time.Now().Add(time.Minute)
	refused := 0
	for time.Now().Before(deadline) {
		for _, knock := range []struct{ url, host, origin string }{
			{i.Endpoint + "/api/v1/namespaces", "", ""},
			{i.Endpoint + adminPrefix + "health", "", ""},
			{i.S3Endpoint + "/lithops-local", "", ""},
			{i.Endpoint + "/api/v1/namespaces", "evil.example", ""},
			{i.Endpoint + "/api/v1/namespaces", "", "https://evil.example"},
		} {
			req, _ := http.NewRequest("GET", knock.url, nil)
			req.Host = knock.host
			if knock.origin != "" {
				req.Header.Set("Origin", knock.origin)
			}
			resp, err := client.Do(req)
			if err != nil {
				if refused == 0 {
					t.Fatal("nothing was refused:", err)
				}
				return // it has ended
			}
			_ = resp.Body.Close()
			refused++
		}
	}
	t.Fatalf("after %d refused requests the endpoint still runs", refused)
}

// TestStrangersFillNoLog: what clients without credentials send pushes nothing out of the log.
func TestStrangersFillNoLog(t *testing.T) {
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
	if limit := int64(strangersFirst * 2000); info.Size() > limit {
		t.Errorf("the log has %d bytes, want at most %d", info.Size(), limit)
	}
	reqs, err := Requests(o.Dir)
	if err != nil || len(reqs) < strangersFirst {
		t.Errorf("%d requests are recorded, want the first %d: %v", len(reqs), strangersFirst, err)
	}
}

// TestTheCommandsNeedNoSlot: an endpoint all of whose slots are taken says so to others, and still answers its own
// commands: it is seen to run, and stops.
func TestTheCommandsNeedNoSlot(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	o := options(t)
	i := mustStart(t, o)
	// Who has sent half of a body has a slot, and keeps it.
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
		t.Errorf("a request got a slot, so that this test shows nothing: %s", resp.Status)
	}
	begun := time.Now()
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Error(err)
	}
	if now, err := Status(t.Context(), o.Dir); err != nil || now.Running || now.PID != 0 || time.Since(begun) > stopTimeout {
		t.Errorf("after a stop of %v: %v, %v", time.Since(begun), now, err)
	}
}

// TestASlotIsNotWaitedForForEver: when the wait is over the client reads that it should come back, also when it has
// sent more than fits into the buffers on the way.
func TestASlotIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	h := slot(make(chan struct{}, 1), 50*time.Millisecond, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		inside <- struct{}{}
		<-leave
	}))
	srv := httptest.NewServer(patience{grace: time.Minute, rate: 1 << 10, drain: maxDrain}.wrap(h))
	defer srv.Close()
	defer close(leave)
	go func() {
		if resp, err := http.Get(srv.URL); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-inside
	// Like Python's http.client, this one reads nothing before it has sent everything.
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

// TestUploadsAtOnce: as many deployments and objects as a command sends at once go through without one holding up
// another, over one transport.
func TestUploadsAtOnce(t *testing.T) {
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
	if took := time.Since(begun); took > time.Minute { // each wait for another took 30 s, until its repetition
		t.Errorf("64 actions and 64 objects took %v: they have waited for one another", took)
	}
	client.CloseIdleConnections()
}
