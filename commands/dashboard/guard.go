package dashboard

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

// policy is the Content-Security-Policy. It allows the page to load resources only from this server. It does not allow
// inline scripts and styles, forms, or embedding the page in a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard restricts access to one browser: the first one that sends the token. From then on, a cookie authenticates this
// browser. The guard rejects requests from pages of another origin and, because of DNS rebinding, requests with another
// Host header.
type guard struct {
	host   string // address and port of the server
	cookie string // name of the cookie; it contains the port, because all ports of a host share their cookies
	secret string // value of the cookie
	mu     sync.Mutex
	token  string // token of the printed address; "" after it was used
}

func newGuard(host string) *guard {
	_, port, _ := strings.Cut(host, ":")
	return &guard{host: host, cookie: "fn-runtime-" + port, secret: rand.Text(), token: rand.Text()}
}

// address returns the address that opens the page for the first time.
func (g *guard) address() string { return "http://" + g.host + "/?token=" + g.token }

// redeem reports whether the token is valid. A token is valid only once.
func (g *guard) redeem(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 0 {
		return false
	}
	g.token = ""
	return true
}

// authenticated reports whether a request has the cookie of the browser that redeemed the token.
func (g *guard) authenticated(r *http.Request) bool {
	c, err := r.Cookie(g.cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(g.secret)) == 1
}

// sameHost reports whether the Host header contains the address of this server, and the Origin header, if any, the
// origin of its pages.
func (g *guard) sameHost(r *http.Request) bool {
	_, port, _ := strings.Cut(g.host, ":")
	if r.Host != g.host && r.Host != "localhost:"+port {
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host
}

// allowedSite reports whether a request comes from the page itself or from the address bar. It also allows a link on
// another site that opens the main page.
func allowedSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// wrap returns a handler that passes authenticated requests to h. denied handles unauthenticated requests. opened
// handles the request with the token: its page redirects to the main page. The redirect by a page is necessary because
// the browser does not send the SameSite=Strict cookie if the address was opened from another site.
func (g *guard) wrap(h, denied, opened http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("Cache-Control", "no-store")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		token := r.URL.Query().Get("token")
		switch {
		case !g.sameHost(r) || !allowedSite(r):
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		case g.authenticated(r) && token != "":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		case g.authenticated(r):
			h.ServeHTTP(w, r)
		case token != "" && r.URL.Path == "/" && g.redeem(token):
			http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			opened.ServeHTTP(w, r)
		default:
			denied.ServeHTTP(w, r)
		}
	})
}
