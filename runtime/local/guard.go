package local

import (
	"net"
	"net/http"
	"strings"
)

// Limits before anything is read: connections, requests at the same time, header bytes.
const (
	maxConnections = 4096
	maxRequests    = 2048
	maxHeader      = 64 << 10
)

// guard lets only programs of this machine through: the name by which they call us must be a loopback name, or a page
// in a browser could reach us through a name that resolves to 127.0.0.1; and no page may call us at all.
func guard(next http.Handler) http.Handler {
	slots := make(chan struct{}, maxRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !loopback(r.Host):
			http.Error(w, "This endpoint answers to loopback names only.", http.StatusMisdirectedRequest)
			return
		case r.Header.Get("Origin") != "", crossSite(r.Header.Get("Sec-Fetch-Site")):
			http.Error(w, "This endpoint is not for browsers.", http.StatusForbidden)
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-r.Context().Done():
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func crossSite(site string) bool { return site != "" && site != "none" }

// loopback tells of "127.0.0.1:8443", "localhost" and "[::1]:8443".
func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
