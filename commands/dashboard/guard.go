package dashboard

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

// policy lets the page load what the server itself has, and nothing else from anywhere: no inline script or style, no
// frame around it, no form to elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard lets one browser in: the first that comes with the token. It is known by a cookie from then on. A page of another
// origin, or a name that leads here from outside, gets nothing.
type guard struct {
	host   string // address and port that is listened on
	cookie string // name of the cookie; has the port in it, because cookies of one host are shared by all its ports
	secret string // value of the cookie
	mu     sync.Mutex
	token  string // of the address that is printed; "" once it was used
}

func newGuard(host string) *guard {
	_, port, _ := strings.Cut(host, ":")
	return &guard{host: host, cookie: "fn-runtime-" + port, secret: rand.Text(), token: rand.Text()}
}

// address is where the page is opened for the first time.
func (g *guard) address() string { return "http://" + g.host + "/?token=" + g.token }

// entered reports whether the token is the one that was given out. It is good once.
func (g *guard) entered(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 0 {
		return false
	}
	g.token = ""
	return true
}

// known reports whether a request comes from the browser that was let in.
func (g *guard) known(r *http.Request) bool {
	c, err := r.Cookie(g.cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(g.secret)) == 1
}

// own reports whether a request was made to this server by its own name, and by nobody else's page.
func (g *guard) own(r *http.Request) bool {
	_, port, _ := strings.Cut(g.host, ":")
	if r.Host != g.host && r.Host != "localhost:"+port {
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host
}

// within reports whether what is asked for is asked for by the page itself, or by the address bar. A link on another page
// leads to the first page and nowhere else.
func within(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// around guards h. denied answers whoever has no right to be here; opened answers who came with the token, and leads to
// the page in a second step, so that the cookie, which is strict, is sent although the address was opened from elsewhere.
func (g *guard) around(h, denied, opened http.Handler) http.Handler {
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
		case !g.own(r) || !within(r):
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		case g.known(r) && token != "":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		case g.known(r):
			h.ServeHTTP(w, r)
		case token != "" && r.URL.Path == "/" && g.entered(token):
			http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			opened.ServeHTTP(w, r)
		default:
			denied.ServeHTTP(w, r)
		}
	})
}
