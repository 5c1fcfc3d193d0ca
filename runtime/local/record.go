package local

import (
	"bufio"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Request is a request in the endpoint's log. Credentials and bodies are not logged. Of the query string, only the
// parameters that loggedQuery selects are logged, because the query of a presigned URL contains its signature.
type Request struct {
	Time      time.Time     `json:"time"`
	Service   string        `json:"service"` // "openwhisk", "s3", "codeengine", "iam" or "endpoint"
	Method    string        `json:"method"`
	Path      string        `json:"path"` // decoded path as received; untrusted text
	Query     string        `json:"query,omitempty"`
	Status    int           `json:"status"`
	Duration  time.Duration `json:"duration_ns"`
	UserAgent string        `json:"user_agent,omitempty"`
	Received  int64         `json:"received"` // Content-Length of the request; -1 if it is unknown
	Sent      int64         `json:"sent"`     // size of the response body in bytes
}

// loggedQuery returns the query parameters that are logged. They identify the operation and never contain secrets.
func loggedQuery(r *http.Request) string {
	q := r.URL.Query()
	for name := range q {
		switch name {
		case "overwrite", "blocking", "result", "code", "limit", "skip", "count", "since", "upto", "name", "docs", "force",
			"job_name", "start", "version",
			"list-type", "prefix", "delimiter", "max-keys", "delete", "uploads", "uploadId", "partNumber", "versions", "versioning", "location":
		default:
			q.Del(name)
		}
	}
	return q.Encode()
}

// Maximum lengths in the log, in bytes: of the User-Agent header, and of every text of a rejected request.
const (
	maxAgent        = 300
	maxRejectedText = 200
)

// Of the rejected requests, the first 100 are logged, then at most one per minute. Otherwise a client without
// credentials could push all other entries out of the log.
const (
	rejectedFirst    = 100
	rejectedInterval = time.Minute
)

// logAll returns a function that logs every request.
func logAll(log *slog.Logger) func(attrs ...any) {
	return func(attrs ...any) { log.Info("request", attrs...) }
}

// logSample returns a function that logs some requests. Each entry contains the number of requests omitted before it.
func logSample(log *slog.Logger) func(attrs ...any) {
	sample := rate.Sometimes{First: rejectedFirst, Interval: rejectedInterval}
	var omitted atomic.Int64
	return func(attrs ...any) {
		omitted.Add(1)
		sample.Do(func() {
			if n := omitted.Swap(0) - 1; n > 0 {
				attrs = append(attrs, "not_recorded", n)
			}
			log.Info("request", attrs...)
		})
	}
}

// logRequests returns a handler that logs each request after next has served it. It truncates texts to maxText bytes.
func logRequests(write func(attrs ...any), maxText int, now func() time.Time, service func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := now()
		cut := func(text string, n int) string { return text[:min(len(text), n)] }
		attrs := []any{
			"service", service(r), "method", cut(r.Method, maxText), "path", cut(r.URL.Path, maxText), "query", cut(loggedQuery(r), maxText),
			"user_agent", cut(r.UserAgent(), min(maxAgent, maxText)), "received", r.ContentLength,
		}
		counted := &countingWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			write(append(attrs, "status", counted.status, "duration_ns", now().Sub(start).Nanoseconds(), "sent", counted.sent)...)
		}()
		next.ServeHTTP(counted, r)
	})
}

// countingWriter records the status and size of a response.
type countingWriter struct {
	http.ResponseWriter
	status  int
	sent    int64
	written bool
}

func (c *countingWriter) WriteHeader(status int) {
	if !c.written && status >= http.StatusOK { // not 100 Continue
		c.status, c.written = status, true
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *countingWriter) Write(p []byte) (int, error) {
	c.written = true
	n, err := c.ResponseWriter.Write(p)
	c.sent += int64(n)
	return n, err
}

// Unwrap returns the wrapped writer, which http.ResponseController needs to access the connection.
func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Requests returns the requests in the current and the previous log of the endpoint in dir, oldest first.
func Requests(dir string) ([]Request, error) {
	out := []Request{}
	for _, name := range []string{logFile + ".1", logFile} {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var rec struct {
				Msg string `json:"msg"`
				Request
			}
			if json.Unmarshal(lines.Bytes(), &rec) == nil && rec.Msg == "request" {
				out = append(out, rec.Request)
			}
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, err
		}
	}
	return out, nil
}
