package proxy

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// Named is a fault with a name for tables and messages. If Fault is nil, the connection is refused with RefuseFrom.
type Named struct {
	Name  string
	Fault Fault
}

// Catalog returns every fault that can be injected into a request. hang is the time for which the hanging fault holds
// a request.
func Catalog(hang time.Duration) []Named {
	all := []Named{
		{"connection refused", nil},
		{"reset before", resetBefore},
		{"reset after", resetAfter},
		{"hang", hanging(hang)},
		{"slow body", slowBody},
		{"truncated body", truncated},
		{"gateway HTML", gatewayHTML},
		{"429 with Retry-After", status(429, "1")},
	}
	for _, code := range []int{401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504} {
		all = append(all, Named{strconv.Itoa(code), status(code, "")})
	}
	return all
}

// resetBefore cuts the connection before the server sees the request.
func resetBefore(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// resetAfter lets the server process the request and then cuts the connection instead of responding.
func resetAfter(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// hanging sends no response for a while, then cuts the connection.
func hanging(d time.Duration) Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_ = wait(r.Context(), d)
		panic(http.ErrAbortHandler)
	}
}

// slowBody sends the server's response in pieces with pauses between them.
func slowBody(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	body := forwarded(w, r, forward)
	flush := http.NewResponseController(w)
	step := max(1, len(body)/5)
	for len(body) > 0 {
		n := min(step, len(body))
		_, _ = w.Write(body[:n])
		_ = flush.Flush()
		body = body[n:]
		_ = wait(r.Context(), 100*time.Millisecond)
	}
}

// truncated sends half of the server's response and cuts the connection.
func truncated(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	body := forwarded(w, r, forward)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// forwarded lets the server process the request, sends the response header and returns the response body.
func forwarded(w http.ResponseWriter, r *http.Request, forward http.Handler) []byte {
	rec := httptest.NewRecorder()
	forward.ServeHTTP(rec, r)
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	return rec.Body.Bytes()
}

// gatewayHTML responds like a proxy that has lost its upstream server.
func gatewayHTML(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	drain(r)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusOK)
	fmt.Fprint(w, "<html><body><h1>We'll be back soon</h1></body></html>")
}

// status responds with an error like those of the service, without processing the request.
func status(code int, retryAfter string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		drain(r)
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"error":%q,"code":"injected"}`, http.StatusText(code))
	}
}
