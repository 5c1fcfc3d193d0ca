package s3

import (
	"net/http"
	"strings"
)

// tidy gives answers the headers of S3 where gofakes3's differ: names of metadata in lower case, because clients take
// them as they come; no invitation to other origins.
type tidy struct {
	http.ResponseWriter
	done bool
}

func (t *tidy) WriteHeader(status int) {
	if !t.done {
		t.done = true
		h := t.Header()
		for name, values := range h {
			switch {
			case strings.HasPrefix(name, "X-Amz-Meta-"):
				delete(h, name)
				h[strings.ToLower(name)] = values
			case strings.HasPrefix(name, "Access-Control-"):
				delete(h, name)
			}
		}
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tidy) Write(p []byte) (int, error) {
	if !t.done {
		t.WriteHeader(http.StatusOK)
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *tidy) Unwrap() http.ResponseWriter { return t.ResponseWriter }
