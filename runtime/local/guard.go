package local

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// Limits before anything is read: connections, requests at the same time and how long one waits for its turn, header
// bytes.
const (
	maxConnections = 4096
	maxRequests    = 2048
	slotWait       = 10 * time.Second
	maxHeader      = 64 << 10
)

// service is what stands behind the guard.
type service interface {
	http.Handler
	// Admits reports whether the credentials of a request are right. ServeHTTP refuses those where they are not, in the
	// words of its protocol.
	Admits(*http.Request) bool
}

// guard lets only programs of this machine through: the name by which they call us must be one of ours, or a page in a
// browser could reach us through a name that resolves to 127.0.0.1; and no page may call us at all. Who has no
// credentials is refused before it takes anything that others need: it holds no place, is no activity, and what it
// fills of the log is bounded.
func (e *endpoint) guard(s service, name func(*http.Request) string, ours func(host string) bool) http.Handler {
	slots := make(chan struct{}, maxRequests)
	patient := patience{grace: paceGrace, rate: paceRate, drain: maxDrain}
	known := record(toAll(e.log), maxHeader, time.Now, name, patient.wrap(e.busy(slot(slots, slotWait, s))))
	patient.drain = 0
	stranger := record(toFew(e.log), maxStranger, time.Now, name, patient.wrap(refuse(s, ours)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if ours(r.Host) && !fromPage(r) && s.Admits(r) {
			known.ServeHTTP(w, r)
		} else {
			w.Header().Set("Connection", "close") // an idle connection is a place that others wait for
			stranger.ServeHTTP(w, r)
		}
	})
}

// refuse says why a request gets no further.
func refuse(s service, ours func(host string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !ours(r.Host):
			http.Error(w, "This endpoint answers to loopback names only.", http.StatusMisdirectedRequest)
		case fromPage(r):
			http.Error(w, "This endpoint is not for browsers.", http.StatusForbidden)
		default:
			s.ServeHTTP(w, r)
		}
	})
}

// slot bounds the requests at the same time. The endpoint's own commands need none: they ask what is wrong when all are
// taken.
func slot(slots chan struct{}, wait time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, adminPrefix) {
			next.ServeHTTP(w, r)
			return
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		case <-timer.C:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "The endpoint has too many requests at the moment.", http.StatusServiceUnavailable)
		case <-r.Context().Done():
		}
	})
}

// fromPage reports whether a browser sends the request for a page.
func fromPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") != "" || site != "" && site != "none"
}

// loopback tells of "127.0.0.1:8443", "localhost" and "[::1]:8443".
func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
