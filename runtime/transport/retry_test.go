package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/fault"
)

// script responds to each request with its next step. The last step repeats.
type script struct {
	mu    sync.Mutex
	steps []step
	sent  []string // bodies
	at    []time.Time
}

type step struct {
	status int
	header http.Header
	body   string
	err    error
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, _ := io.ReadAll(req.Body)
		req.Body.Close()
		body = string(data)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.steps[min(len(s.sent), len(s.steps)-1)]
	s.sent, s.at = append(s.sent, body), append(s.at, time.Now())
	if x.err != nil {
		return nil, x.err
	}
	h := x.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{StatusCode: x.status, Status: http.StatusText(x.status), Proto: "HTTP/1.1", Header: h,
		Body: io.NopCloser(strings.NewReader(x.body)), ContentLength: int64(len(x.body)), Request: req}, nil
}

func request(t *testing.T, ctx context.Context, method, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://api.test/x", r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

var (
	refused = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	reset   = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	noHost  = &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
)

// noTunnel returns the error of a request whose CONNECT the proxy rejected with a status.
func noTunnel(status int) error {
	return connectRefused(context.Background(), &url.URL{Host: "proxy.test:3128"}, &http.Request{Host: "api.test:443"},
		&http.Response{StatusCode: status, Status: http.StatusText(status)})
}

func TestShouldRetry(t *testing.T) {
	after := http.Header{"Retry-After": {"1"}}
	race := Call{IsRace: func(b []byte) bool { return string(b) == "race" }}
	cases := []struct {
		name   string
		method string
		call   Call
		first  step
		repeat bool
	}{
		{"GET refused", "GET", Call{}, step{err: refused}, true},
		{"GET reset", "GET", Call{}, step{err: reset}, true},
		{"GET host name unknown", "GET", Call{}, step{err: noHost}, false},
		{"GET refused, once", "GET", Call{NoRetry: true}, step{err: refused}, false},
		{"GET 503 with Retry-After, once", "GET", Call{NoRetry: true}, step{status: 503, header: after}, false},
		{"POST refused", "POST", Call{}, step{err: refused}, true},
		{"POST reset", "POST", Call{}, step{err: reset}, false},
		{"POST reset, repeatable", "POST", Call{Repeatable: true}, step{err: reset}, true},
		{"POST, proxy cannot connect", "POST", Call{}, step{err: noTunnel(502)}, true},
		{"POST, busy proxy", "POST", Call{}, step{err: noTunnel(503)}, true},
		{"GET, proxy failure", "GET", Call{}, step{err: noTunnel(500)}, false},
		{"PUT reset", "PUT", Call{}, step{err: reset}, true},
		{"DELETE cut", "DELETE", Call{}, step{err: io.ErrUnexpectedEOF}, true},
		{"GET 400", "GET", Call{}, step{status: 400}, false},
		{"GET 403", "GET", Call{}, step{status: 403}, false},
		{"GET 404", "GET", Call{}, step{status: 404}, false},
		{"GET 408", "GET", Call{}, step{status: 408}, true},
		{"POST 408", "POST", Call{}, step{status: 408}, false},
		{"PUT 409", "PUT", Call{}, step{status: 409, body: "race"}, false},
		{"PUT 409 race", "PUT", race, step{status: 409, body: "race"}, true},
		{"PUT 409 other", "PUT", race, step{status: 409, body: "not empty"}, false},
		{"GET 413", "GET", Call{}, step{status: 413}, false},
		{"POST 425", "POST", Call{}, step{status: 425}, true},
		{"POST 429", "POST", Call{}, step{status: 429}, true},
		{"GET 500", "GET", Call{}, step{status: 500}, true},
		{"POST 500", "POST", Call{}, step{status: 500}, false},
		{"GET 501", "GET", Call{}, step{status: 501}, false},
		{"GET 502", "GET", Call{}, step{status: 502}, true},
		{"POST 502", "POST", Call{}, step{status: 502}, false},
		{"POST 503", "POST", Call{}, step{status: 503}, false},
		{"POST 503 with Retry-After", "POST", Call{}, step{status: 503, header: after}, true},
		{"GET 504", "GET", Call{}, step{status: 504}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []step{c.first, {status: 200, body: "ok"}}}
				var notes atomic.Int32
				rt := New(Options{Base: s, OnRetry: func(host, reason string, wait time.Duration) {
					if host != "api.test" || reason == "" {
						t.Errorf("note: %q %q", host, reason)
					}
					notes.Add(1)
				}})
				resp, err := rt.RoundTrip(request(t, With(t.Context(), c.call), c.method, "body"))
				want := 1
				if c.repeat {
					want = 2
				}
				if len(s.sent) != want || int(notes.Load()) != want-1 {
					t.Fatalf("sent %d times, noted %d, want %d", len(s.sent), notes.Load(), want)
				}
				for _, body := range s.sent {
					if body != "body" {
						t.Errorf("body sent: %q", body)
					}
				}
				switch {
				case c.repeat && (err != nil || resp.StatusCode != 200):
					t.Errorf("got %v, %v", resp, err)
				case !c.repeat && c.first.err != nil && fault.KindOf(err) != fault.Unavailable:
					t.Errorf("got error %v of kind %q", err, fault.KindOf(err))
				case !c.repeat && c.first.err == nil && (err != nil || resp.StatusCode != c.first.status):
					t.Errorf("got %v, %v", resp, err)
				}
			})
		})
	}
}

func TestGivesUp(t *testing.T) {
	t.Run("after maxTries, with the last response", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{{status: 503, body: "busy"}}}
			resp, err := New(Options{Base: s}).RoundTrip(request(t, t.Context(), "GET", ""))
			if err != nil || resp.StatusCode != 503 || len(s.sent) != maxTries {
				t.Fatalf("%v, %v after %d", resp, err, len(s.sent))
			}
			if data, _ := io.ReadAll(resp.Body); string(data) != "busy" {
				t.Errorf("body %q", data)
			}
		})
	})
	t.Run("when the host asks for more time than is left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{{status: 429, header: http.Header{"Retry-After": {"3600"}}}}}
			start := time.Now()
			resp, err := New(Options{Base: s}).RoundTrip(request(t, t.Context(), "GET", ""))
			if err != nil || resp.StatusCode != 429 || len(s.sent) != 1 || time.Since(start) > 0 {
				t.Fatalf("%v, %v after %d in %v", resp, err, len(s.sent), time.Since(start))
			}
		})
	})
	t.Run("when the context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{{status: 429, header: http.Header{"Retry-After": {"60"}}}}}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := New(Options{Base: s}).RoundTrip(request(t, ctx, "GET", ""))
			if !errors.Is(err, context.DeadlineExceeded) || len(s.sent) != 1 {
				t.Fatalf("%v after %d", err, len(s.sent))
			}
		})
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().UTC().Add(time.Hour) // the server's clock is wrong, but consistent
		s := &script{steps: []step{
			{status: 429, header: http.Header{"Retry-After": {"7"}}},
			{status: 503, header: http.Header{
				"Date": {date.Format(http.TimeFormat)}, "Retry-After": {date.Add(5 * time.Second).Format(http.TimeFormat)}}},
			{status: 200}}}
		if _, err := New(Options{Base: s}).RoundTrip(request(t, t.Context(), "GET", "")); err != nil {
			t.Fatal(err)
		}
		if a, b := s.at[1].Sub(s.at[0]), s.at[2].Sub(s.at[1]); a != 7*time.Second || b != 5*time.Second {
			t.Errorf("waited %v and %v", a, b)
		}
	})
}

// If a host throttles one request, all requests to it wait, and fewer are sent at once.
func TestThrottledHostDelaysAllRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{{status: 429, header: http.Header{"Retry-After": {"10"}}}, {status: 200}}}
		rt := New(Options{Base: s})
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = rt.RoundTrip(request(t, t.Context(), "GET", "")) })
		synctest.Wait()
		for range 5 {
			wg.Go(func() { _, _ = rt.RoundTrip(request(t, t.Context(), "GET", "")) })
		}
		wg.Wait()
		for i, at := range s.at[1:] {
			if at.Sub(start) < 10*time.Second {
				t.Errorf("request %d was sent after %v", i+1, at.Sub(start))
			}
		}
	})
}

func TestConcurrencyFollowsThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(8)
		acquire := func() { _ = h.acquire(t.Context(), "a") }
		for range 8 {
			acquire()
		}
		for range 8 {
			h.finish("a", http.StatusTooManyRequests)
		}
		if got := h.get("a").limit; got != 4 {
			t.Fatalf("limit %d after one burst of 429, want 4", got)
		}
		for range 200 {
			acquire()
			h.finish("a", 200)
		}
		if got := h.get("a").limit; got != 8 {
			t.Errorf("limit %d after much success, want 8", got)
		}
		for range 8 {
			acquire()
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.acquire(ctx, "a") }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("a waiting request ends with %v", err)
		}
		if x := h.get("a"); x.running != 8 || len(x.waiting) != 0 {
			t.Errorf("%d running, %d waiting", x.running, len(x.waiting))
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"1", "-1", "9999999999", "Wed, 21 Oct 2015 07:28:00 GMT", "", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := retryAfter(&http.Response{Header: http.Header{"Retry-After": {s}}})
		if r != nil && r.Duration < 0 {
			t.Errorf("%q returns %v", s, r.Duration)
		}
	})
}
