package transport

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

func jwt(exp time.Time) string {
	return "h." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, exp.Unix())) + ".s"
}

// tokens counts how often a token was fetched and renewed.
type tokens struct {
	fetched, renewed atomic.Int32
	token            string
	fresh            string
	err              error
}

func (k *tokens) source(_ context.Context, refresh bool) (string, error) {
	if !refresh {
		k.fetched.Add(1)
		return k.token, nil
	}
	k.renewed.Add(1)
	return k.fresh, k.err
}

// accepting responds with 200 to one credential and with status to all others.
func accepting(credential string, status int) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		code := status
		if req.Header.Get("Authorization") == credential {
			code = 200
		}
		body := ""
		if req.Body != nil {
			data, _ := io.ReadAll(req.Body)
			body = string(data)
		}
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
	})
}

// withDate adds the date of a server whose clock shows now.
func withDate(now time.Time, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		resp.Header.Set("Date", now.UTC().Format(http.TimeFormat))
		return resp, err
	})
}

func TestToken(t *testing.T) {
	expired := fault.New(fault.NotLoggedIn, i18n.M("Session over."), i18n.Message{})
	old, far := jwt(time.Now().Add(time.Minute)), jwt(time.Now().Add(time.Hour))
	cases := []struct {
		name    string
		tokens  *tokens
		server  http.RoundTripper
		renewed int32
		status  int
		kind    fault.Kind
	}{
		{"good", &tokens{token: far}, accepting("Bearer "+far, 401), 0, 200, ""},
		{"about to expire", &tokens{token: old, fresh: far}, accepting("Bearer "+far, 401), 1, 200, ""},
		{"401, renewed", &tokens{token: "a", fresh: "b"}, accepting("Bearer b", 401), 1, 200, ""},
		{"401 that persists", &tokens{token: "a", fresh: "b"}, accepting("", 401), 1, 401, ""},
		{"403", &tokens{token: "a", fresh: "b"}, accepting("Bearer b", 403), 0, 403, ""},
		{"403, the token is valid by the server's clock", &tokens{token: far, fresh: "b"}, withDate(time.Now(), accepting("Bearer b", 403)), 0, 403, ""},
		{"403, the token has expired by the server's clock", &tokens{token: far, fresh: "b"}, withDate(time.Now().Add(2*time.Hour), accepting("Bearer b", 403)), 1, 200, ""},
		{"401, session over", &tokens{token: "a", err: expired}, accepting("", 401), 1, 0, fault.NotLoggedIn},
		{"403, session over", &tokens{token: far, err: expired}, withDate(time.Now().Add(2*time.Hour), accepting("", 403)), 1, 403, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rt := New(Options{Base: c.server, Origin: "https://api.test", Auth: Auth{Token: c.tokens.source}})
			resp, err := rt.RoundTrip(request(t, t.Context(), "POST", "body"))
			if fault.KindOf(err) != c.kind || (c.kind == "" && resp.StatusCode != c.status) {
				t.Fatalf("got %v, %v", resp, err)
			}
			if got := c.tokens.renewed.Load(); got != c.renewed {
				t.Errorf("renewed %d times, want %d", got, c.renewed)
			}
			if c.status == 200 {
				if data, _ := io.ReadAll(resp.Body); string(data) != "body" {
					t.Errorf("the body sent with the valid token is %q", data)
				}
			}
		})
	}
}

// If many requests fail because the same token expired, it is renewed once. A 401 that persists causes no further
// renewal.
func TestTokenIsRenewedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, good := range []string{"Bearer b", "none"} {
			k := &tokens{token: "a", fresh: "b"}
			rt := New(Options{Base: accepting(good, 401), Origin: "https://api.test", Auth: Auth{Token: k.source}})
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() { _, _ = rt.RoundTrip(request(t, t.Context(), "GET", "")) })
			}
			wg.Wait()
			if k.renewed.Load() != 1 {
				t.Errorf("%s: renewed %d times", good, k.renewed.Load())
			}
		}
	})
}

func TestBasic(t *testing.T) {
	rt := New(Options{Base: accepting("Basic dTpw", 401), Origin: "https://api.test", Auth: Auth{Basic: "u:p"}})
	req := request(t, t.Context(), "GET", "")
	resp, err := rt.RoundTrip(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v, %v", resp, err)
	}
	if req.Header.Get("Authorization") != "" {
		t.Error("the request of the caller was modified")
	}
}

func TestRequestsToOtherHostsAreRefused(t *testing.T) {
	sent := 0
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		sent++
		return nil, errors.New("sent")
	})
	auth := Auth{Basic: "u:p"}
	cases := []struct{ origin, url string }{
		{"https://api.test", "https://other.test/x"},
		{"https://api.test", "https://api.test.evil.test/x"},
		{"https://api.test", "https://api.test:444/x"},
		{"https://api.test", "http://api.test/x"},
		{"https://127.0.0.1:1", "http://127.0.0.1:1/x"},
		{"", "https://api.test/x"},
		{"api.test", "https://api.test/x"},
	}
	for _, c := range cases {
		rt := New(Options{Base: base, Origin: c.origin, Auth: auth})
		req, _ := http.NewRequestWithContext(t.Context(), "GET", c.url, nil)
		if _, err := rt.RoundTrip(req); err == nil || sent != 0 {
			t.Errorf("%+v: sent, %v", c, err)
		}
	}
	for _, u := range []string{"http://10.0.0.1/x", "http://minio.test/x", "http://127.0.0.1.nip.io/"} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", u, nil)
		if _, err := New(Options{Base: base}).RoundTrip(req); fault.KindOf(err) != fault.Invalid || sent != 0 {
			t.Errorf("%s: %v", u, err)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"} {
		if !Loopback(host) {
			t.Errorf("%s is this machine", host)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer target.Close()
	srv := httptest.NewServer(http.RedirectHandler(target.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	for name, client := range map[string]*http.Client{"ours": Client(New(Options{})), "a library's": {Transport: New(Options{})}} {
		if _, err := client.Get(srv.URL); fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "points to") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPIKeyToken(t *testing.T) {
	exchanges := 0
	iam := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/identity/token" || form.Get("apikey") != "the-key" {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found.\u001b[31m"}`)
			return
		}
		exchanges++
		fmt.Fprintf(w, `{"access_token":"t%d","expiration":%d}`, exchanges, time.Now().Add(time.Hour).Unix())
	}))
	defer iam.Close()
	source := APIKeyToken(iam.URL+"/", "the-key", New(Options{}))
	for i, want := range []string{"t1", "t1", "t2"} {
		if got, err := source(t.Context(), i == 2); err != nil || got != want {
			t.Errorf("call %d: %q, %v", i, got, err)
		}
	}
	_, err := APIKeyToken(iam.URL, "wrong-key", New(Options{}))(t.Context(), false)
	if fault.KindOf(err) != fault.Denied || strings.Contains(err.Error(), "wrong-key") || strings.ContainsRune(err.Error(), 0x1b) {
		t.Errorf("got %q", err)
	}
}

func FuzzEndsSoon(f *testing.F) {
	f.Add("a.b.c")
	f.Add(jwt(time.Now()))
	f.Fuzz(func(t *testing.T, token string) { endsSoon(token, time.Now()) })
}

// A 404 of the identity service must not look like a missing bucket.
func TestTokenFailureIsUnavailable(t *testing.T) {
	for _, status := range []int{404, 409} {
		iam := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"errorMessage":"no"}`)
		}))
		_, err := APIKeyToken(iam.URL, "key", New(Options{}))(t.Context(), false)
		iam.Close()
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%d: %v is %s", status, err, fault.KindOf(err))
		}
	}
}
