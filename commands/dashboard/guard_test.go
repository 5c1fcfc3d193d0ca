package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// newTestGuard returns a guard and its handler. The responses are "page", "denied" and "opened".
func newTestGuard() (*guard, http.Handler) {
	respond := func(body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	}
	g := newGuard("127.0.0.1:4711")
	return g, g.wrap(respond("page"), respond("denied"), respond("opened"))
}

func get(h http.Handler, address string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestGuardAllowsOneBrowser(t *testing.T) {
	g, h := newTestGuard()
	address := g.address()
	if got := get(h, "http://127.0.0.1:4711/").Body.String(); got != "denied" {
		t.Errorf("without the token: %q", got)
	}
	if got := get(h, "http://127.0.0.1:4711/?token=AAAA").Body.String(); got != "denied" {
		t.Errorf("with another token: %q", got)
	}
	w := get(h, address)
	if got := w.Body.String(); got != "opened" {
		t.Fatalf("with the token: %q", got)
	}
	cookie := w.Header().Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie is %q, want %s in it", cookie, want)
		}
	}
	if got := get(h, address).Body.String(); got != "denied" {
		t.Errorf("with the token a second time: %q", got)
	}
	value, _, _ := strings.Cut(cookie, ";")
	known := with("Cookie", value)
	if got := get(h, "http://127.0.0.1:4711/lanes", known).Body.String(); got != "page" {
		t.Errorf("with the cookie: %q", got)
	}
	if got := get(h, address, known); got.Code != http.StatusSeeOther {
		t.Errorf("with cookie and old address: %d", got.Code)
	}
	for what, change := range map[string]func(*http.Request){
		"another host":         func(r *http.Request) { r.Host = "evil.example:4711" },
		"another port":         func(r *http.Request) { r.Host = "127.0.0.1:4712" },
		"another origin":       with("Origin", "http://evil.example"),
		"page of another site": with("Sec-Fetch-Site", "cross-site"),
		"page on another port": with("Sec-Fetch-Site", "same-site"),
	} {
		if w := get(h, "http://127.0.0.1:4711/lanes", known, change); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d %q, want 403", what, w.Code, w.Body)
		}
	}
	post := func(r *http.Request) { r.Method = http.MethodPost }
	if w := get(h, "http://127.0.0.1:4711/", known, post); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405", w.Code)
	}
}

// The printed address works if it is opened by a link in another page, such as a web mail.
func TestAddressOpenedFromAnotherPage(t *testing.T) {
	g, h := newTestGuard()
	w := get(h, g.address(), with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Mode", "navigate"))
	if w.Body.String() != "opened" {
		t.Errorf("%d %q, want the page", w.Code, w.Body)
	}
}

func TestHeaders(t *testing.T) {
	_, h := newTestGuard()
	head := get(h, "http://127.0.0.1:4711/").Header()
	policy := head.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", policy)
	}
	if got := head.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
}
