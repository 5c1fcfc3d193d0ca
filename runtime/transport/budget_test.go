package transport

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// If a command spends its budget on an unreachable proxy, the error names the proxy, not the service behind it.
func TestSpentBudgetNamesTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, err := range map[string]error{
			"unreachable":      &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused},
			"host unreachable": connectRefused(t.Context(), &url.URL{Host: "proxy:3128"}, request(t, t.Context(), "GET", ""), &http.Response{StatusCode: 503, Status: "503 Service Unavailable"}),
		} {
			away := &script{steps: []step{{err: err}}}
			_, err := New(Options{Base: away, Budget: NewBudget(time.Second)}).RoundTrip(request(t, t.Context(), "GET", ""))
			if err == nil || !strings.Contains(err.Error(), "The proxy") {
				t.Errorf("%s: got %v, want an error that names the proxy", name, err)
			}
		}
	})
}

// The budget limits the time that a command spends on retries for any number of requests and any kind of failure.
// Requests that do not fail are sent as usual.
func TestBudget(t *testing.T) {
	hang := func(at time.Duration) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(at):
			case <-req.Context().Done():
			}
			return nil, reset
		})
	}
	responses := func(status int, header http.Header) http.RoundTripper {
		return &script{steps: []step{{status: status, header: header}}}
	}
	for _, c := range []struct {
		name   string
		base   http.RoundTripper
		method string
		most   time.Duration // for 100 consecutive requests
		kind   fault.Kind    // of the last request
		want   string
	}{
		{"refused", &script{steps: []step{{err: refused}}}, "GET", 2 * time.Minute, fault.Unavailable, "No more requests are sent"},
		{"hang", hang(30 * time.Second), "GET", 2*time.Minute + 30*time.Second, fault.Unavailable, "No more requests are sent"},
		{"500", responses(500, nil), "PUT", 2 * time.Minute, fault.Unavailable, "still fail (500"},
		{"503", responses(503, nil), "GET", 2 * time.Minute, fault.Unavailable, "No more requests are sent"},
		{"429", responses(429, nil), "POST", 2 * time.Minute, fault.Throttled, "still fail (429"},
		{"429 with Retry-After", responses(429, http.Header{"Retry-After": {"7"}}), "GET", 2 * time.Minute, fault.Throttled, "still fail (429"},
		{"404", responses(404, nil), "GET", 0, "", ""},
		{"200", responses(200, nil), "GET", 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := New(Options{Base: c.base, Budget: NewBudget(0)})
				start := time.Now()
				var err error
				for range 100 {
					_, err = rt.RoundTrip(request(t, t.Context(), c.method, ""))
				}
				if took := time.Since(start); took > c.most {
					t.Errorf("100 requests took %v", took)
				}
				if fault.KindOf(err) != c.kind {
					t.Fatalf("the last error is %v", err)
				}
				if err == nil {
					return
				}
				f, texts := err.(*fault.Fault), i18n.New(i18n.English)
				if !strings.Contains(f.Error(), c.want) || !strings.Contains(texts.Translate(f.Recovery), "FN_RUNTIME_RETRY_SECONDS") {
					t.Errorf("got %q, %q", f.Error(), texts.Translate(f.Recovery))
				}
			})
		})
	}
}

// Requests that fail concurrently, in several transports, are counted once. Time without failures is not counted.
func TestBudgetIsSharedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(time.Hour)
		var wg sync.WaitGroup
		for range 3 {
			rt := New(Options{Base: &script{steps: []step{{status: 429, header: http.Header{"Retry-After": {"10"}}}, {status: 200}}}, Budget: b})
			wg.Go(func() { _, _ = rt.RoundTrip(request(t, t.Context(), "GET", "")) })
		}
		wg.Wait()
		if spent := time.Hour - b.Left(); spent != 10*time.Second {
			t.Errorf("three concurrent requests spent %v", spent)
		}
		time.Sleep(time.Minute)
		start := time.Now()
		time.Sleep(20 * time.Second)
		one := b.Spend(start)
		two := b.Spend(start.Add(-5 * time.Second)) // started earlier, failed later
		time.Sleep(time.Second)
		one()
		two()
		b.Spend(start)() // everything is counted already
		if spent := time.Hour - b.Left(); spent != 36*time.Second {
			t.Errorf("spent %v", spent)
		}
	})
}

// A throttled request is retried until its deadline, because rate limits often apply per minute.
func TestThrottledForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rt := New(Options{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
			status := 429
			if time.Since(start) > time.Minute {
				status = 200
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"0"}}, Body: http.NoBody, Request: req}, nil
		}), Budget: NewBudget(0)})
		resp, err := rt.RoundTrip(request(t, t.Context(), "POST", ""))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v after %v", resp, err, time.Since(start))
		}
	})
}
