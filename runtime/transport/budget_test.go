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

// A command that has spent its budget on a proxy that is away names the proxy, not the service behind it.
func TestASpentBudgetNamesTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, err := range map[string]error{
			"it is away":         &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused},
			"it reaches no host": tunnelRefused(t.Context(), &url.URL{Host: "proxy:3128"}, request(t, t.Context(), "GET", ""), &http.Response{StatusCode: 503, Status: "503 Service Unavailable"}),
		} {
			away := &script{steps: []step{{err: err}}}
			_, err := New(Options{Base: away, Budget: NewBudget(time.Second)}).RoundTrip(request(t, t.Context(), "GET", ""))
			if err == nil || !strings.Contains(err.Error(), "The proxy") {
				t.Errorf("%s: got %v, want an error that names the proxy", name, err)
			}
		}
	})
}

// What a command may spend on repetitions is bounded by its budget, however many requests it needs and whatever way they
// fail; what does not fail is sent as ever.
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
	answers := func(status int, header http.Header) http.RoundTripper {
		return &script{steps: []step{{status: status, header: header}}}
	}
	for _, c := range []struct {
		name   string
		base   http.RoundTripper
		method string
		most   time.Duration // for 100 requests one after the other
		kind   fault.Kind    // of the last
		says   string
	}{
		{"refused", &script{steps: []step{{err: refused}}}, "GET", 2 * time.Minute, fault.Unavailable, "No more requests are sent"},
		{"hang", hang(30 * time.Second), "GET", 2*time.Minute + 30*time.Second, fault.Unavailable, "No more requests are sent"},
		{"500", answers(500, nil), "PUT", 2 * time.Minute, fault.Unavailable, "still fail (500"},
		{"503", answers(503, nil), "GET", 2 * time.Minute, fault.Unavailable, "No more requests are sent"},
		{"429", answers(429, nil), "POST", 2 * time.Minute, fault.Throttled, "still fail (429"},
		{"429 with Retry-After", answers(429, http.Header{"Retry-After": {"7"}}), "GET", 2 * time.Minute, fault.Throttled, "still fail (429"},
		{"404", answers(404, nil), "GET", 0, "", ""},
		{"200", answers(200, nil), "GET", 0, "", ""},
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
					t.Fatalf("the last one ends with %v", err)
				}
				if err == nil {
					return
				}
				f, texts := err.(*fault.Fault), i18n.New(i18n.English)
				if !strings.Contains(f.Error(), c.says) || !strings.Contains(texts.Translate(f.Recovery), "FN_RUNTIME_RETRY_SECONDS") {
					t.Errorf("it says %q, %q", f.Error(), texts.Translate(f.Recovery))
				}
			})
		})
	}
}

// Requests that fail side by side, in several transports, use the budget up once; time without trouble does not.
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
			t.Errorf("three side by side spent %v", spent)
		}
		time.Sleep(time.Minute)
		start := time.Now()
		time.Sleep(20 * time.Second)
		one := b.Spend(start)
		two := b.Spend(start.Add(-5 * time.Second)) // began earlier, failed later
		time.Sleep(time.Second)
		one()
		two()
		b.Spend(start)() // all of it counted already
		if spent := time.Hour - b.Left(); spent != 36*time.Second {
			t.Errorf("spent %v", spent)
		}
	})
}

// A host that asks to wait is asked again for as long as a request may take: its limits are often per minute.
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
