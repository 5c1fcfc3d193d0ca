package local

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// Limits on connections, on concurrent requests, on the time that a request waits for a slot, and on the size of the
// request header in bytes. They apply before a request is processed.
const (
	maxConnections = 4096
	maxRequests    = 2048
	slotWait       = 10 * time.Second
	maxHeader      = 64 << 10
)

// service is an API that is served behind the guard.
type service interface {
	http.Handler
	// Admits reports whether a request has valid credentials. ServeHTTP rejects requests without valid credentials with an
	// error of its protocol.
	Admits(*http.Request) bool
}

// guard admits only requests from programs on this machine. The Host header must be a name that validHost accepts,
// because otherwise a web page could reach the endpoint through a name that resolves to 127.0.0.1 (DNS rebinding).
// Requests that a browser sends for a web page are rejected in any case. A request without valid credentials is
// rejected before it can use shared resources: it gets no slot, does not count as activity, and the log space for such
// requests is limited.
func (e *endpoint) guard(s service, name func(*http.Request) string, validHost func(host string) bool) http.Handler {
	slots := make(chan struct{}, maxRequests)
	pace := clientPace{grace: paceGrace, rate: paceRate, drain: maxDrain}
	admitted := logRequests(logAll(e.log), maxHeader, time.Now, name, pace.wrap(e.trackActivity(limitConcurrency(slots, slotWait, s))))
	pace.drain = 0
	rejected := logRequests(logSample(e.log), maxRejectedText, time.Now, name, pace.wrap(reject(s, validHost)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if validHost(r.Host) && !fromBrowser(r) && s.Admits(r) {
			admitted.ServeHTTP(w, r)
		} else {
			w.Header().Set("Connection", "close") // an idle connection would count against maxConnections
			rejected.ServeHTTP(w, r)
		}
	})
}

// reject returns a handler that responds with the reason why a request is not admitted.
func reject(s service, validHost func(host string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !validHost(r.Host):
			http.Error(w, "This endpoint accepts requests only for loopback host names.", http.StatusMisdirectedRequest)
		case fromBrowser(r):
			http.Error(w, "This endpoint does not accept requests from browsers.", http.StatusForbidden)
		default:
			s.ServeHTTP(w, r)
		}
	})
}

// limitConcurrency limits the number of concurrent requests to the capacity of slots. A request that gets no slot in
// time is rejected with 503. Requests of the commands need no slot, so that 'local status' and 'local stop' work when
// all slots are in use.
func limitConcurrency(slots chan struct{}, wait time.Duration, next http.Handler) http.Handler {
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
			http.Error(w, "The endpoint is processing too many requests.", http.StatusServiceUnavailable)
		case <-r.Context().Done():
		}
	})
}

// fromBrowser reports whether a browser sent the request on behalf of a web page.
func fromBrowser(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") != "" || site != "" && site != "none"
}

// isLoopback reports whether a host, with or without port, is a loopback name such as "127.0.0.1:8443", "localhost" or
// "[::1]:8443".
func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
