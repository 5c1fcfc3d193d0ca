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

// Request is one request in the endpoint's log. Neither credentials nor bodies nor query strings are recorded: a
// presigned URL carries its signature in the query. Parameters that tell operations apart are named in Query.
type Request struct {
	Time      time.Time     `json:"time"`
	Service   string        `json:"service"` // "openwhisk", "s3", "codeengine", "iam" or "endpoint"
	Method    string        `json:"method"`
	Path      string        `json:"path"` // as received, decoded; untrusted text
	Query     string        `json:"query,omitempty"`
	Status    int           `json:"status"`
	Duration  time.Duration `json:"duration_ns"`
	UserAgent string        `json:"user_agent,omitempty"`
	Received  int64         `json:"received"` // bytes of the body as announced; -1 not announced
	Sent      int64         `json:"sent"`     // bytes
}

// shown are the query parameters that are recorded, of either service; none of them can be secret.
func shown(r *http.Request) string {
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

// The longest texts of a request that are recorded, in bytes: the client's name for itself, and any text of a client
// without credentials.
const (
	agentMax    = 300
	maxStranger = 200
)

// Of requests without credentials the first ones are recorded, then one in a while: whoever sends millions of them must
// not push everything else out of the log.
const (
	strangersFirst = 100
	strangersPause = time.Minute
)

// toAll writes every request to the log.
func toAll(log *slog.Logger) func(attrs ...any) {
	return func(attrs ...any) { log.Info("request", attrs...) }
}

// toFew writes some requests to the log, and with them how many it has left out.
func toFew(log *slog.Logger) func(attrs ...any) {
	some := rate.Sometimes{First: strangersFirst, Interval: strangersPause}
	var left atomic.Int64
	return func(attrs ...any) {
		left.Add(1)
		some.Do(func() {
			if n := left.Swap(0) - 1; n > 0 {
				attrs = append(attrs, "not_recorded", n)
			}
			log.Info("request", attrs...)
		})
	}
}

// record writes down each request that next has answered, each of its texts cut to longest bytes.
func record(write func(attrs ...any), longest int, now func() time.Time, service func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := now()
		cut := func(text string, n int) string { return text[:min(len(text), n)] }
		attrs := []any{
			"service", service(r), "method", cut(r.Method, longest), "path", cut(r.URL.Path, longest), "query", cut(shown(r), longest),
			"user_agent", cut(r.UserAgent(), min(agentMax, longest)), "received", r.ContentLength,
		}
		counted := &counting{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			write(append(attrs, "status", counted.status, "duration_ns", now().Sub(start).Nanoseconds(), "sent", counted.sent)...)
		}()
		next.ServeHTTP(counted, r)
	})
}

// counting remembers the status and size of an answer.
type counting struct {
	http.ResponseWriter
	status  int
	sent    int64
	written bool
}

func (c *counting) WriteHeader(status int) {
	if !c.written && status >= http.StatusOK { // not 100 Continue
		c.status, c.written = status, true
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counting) Write(p []byte) (int, error) {
	c.written = true
	n, err := c.ResponseWriter.Write(p)
	c.sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Requests reads the recorded requests of the endpoint in dir, oldest first, as far as the bounded log goes back.
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
