package proxy

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// Named is a fault with a name for tables and messages. One without Fault is not an answer at all: it is made by
// RefuseFrom.
type Named struct {
	Name  string
	Fault Fault
}

// Catalogue is every fault that a request can suffer. hang bounds how long a hanging one is held.
func Catalogue(hang time.Duration) []Named {
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

// resetAfter lets the server process the request and cuts the connection instead of answering.
func resetAfter(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// hanging answers nothing for a while, then cuts the connection.
func hanging(d time.Duration) Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_ = wait(r.Context(), d)
		panic(http.ErrAbortHandler)
	}
}

// slowBody sends the server's answer in pieces with pauses between them.
func slowBody(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	body := answer(w, r, forward)
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

// truncated sends half of the server's answer and cuts the connection.
func truncated(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	body := answer(w, r, forward)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// answer lets the server process the request, sends its header and gives its body.
func answer(w http.ResponseWriter, r *http.Request, forward http.Handler) []byte {
	rec := httptest.NewRecorder()
	forward.ServeHTTP(rec, r)
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	return rec.Body.Bytes()
}

// gatewayHTML is what a proxy in between says when it lost the server.
func gatewayHTML(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	drain(r)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusOK)
	fmt.Fprint(w, "<html><body><h1>We'll be back soon</h1></body></html>")
}

// status answers with an error of the kind the service gives, without processing the request.
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
