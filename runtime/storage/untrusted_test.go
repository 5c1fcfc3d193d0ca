package storage

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// deletion is the body of a DeleteObjects request.
type deletion struct {
	Object []struct{ Key string }
}

func isDeletion(r *http.Request) bool {
	return r.Method == "POST" && strings.Contains(r.URL.RawQuery, "delete")
}

// Purge does not rely on the responses to DeleteObjects: it lists the prefixes again, and the final counts are
// correct.
func TestPurgeChecksEachKey(t *testing.T) {
	keys := jobs(5, 5)
	t.Run("200 with remaining keys", func(t *testing.T) {
		f := newFixture(t)
		f.fill(t, keys...)
		var skipped atomic.Bool
		f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if isDeletion(r) && skipped.CompareAndSwap(false, true) {
				w.Header().Set("Content-Type", "application/xml")
				_, _ = io.WriteString(w, "<DeleteResult></DeleteResult>")
				return
			}
			next.ServeHTTP(w, r)
		}
		got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
		if err != nil || got.Seen != 25 || got.Deleted != 25 || len(f.keys(t, "")) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("one key fails once", func(t *testing.T) {
		f := newFixture(t)
		f.fill(t, keys...)
		var failed atomic.Bool
		f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if isDeletion(r) && failed.CompareAndSwap(false, true) {
				fmt.Fprintf(w, "<DeleteResult><Error><Key>%s</Key><Code>InternalError</Code></Error></DeleteResult>", keys[0])
				return
			}
			next.ServeHTTP(w, r)
		}
		got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
		if err != nil || got.Seen != 25 || got.Deleted != 25 || got.Failed != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("one key fails always", func(t *testing.T) {
		f := newFixture(t)
		f.fill(t, keys...)
		f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if !isDeletion(r) {
				next.ServeHTTP(w, r)
				return
			}
			var d deletion
			if err := xml.NewDecoder(r.Body).Decode(&d); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, "<DeleteResult>")
			for _, o := range d.Object {
				if o.Key == keys[3] {
					fmt.Fprintf(w, "<Error><Key>%s</Key><Code>InternalError</Code><Message>odd\x1b</Message></Error>", o.Key)
				} else if _, err := f.backend.DeleteObject("bucket", o.Key); err != nil {
					t.Error(err)
				}
			}
			_, _ = io.WriteString(w, "</DeleteResult>")
		}
		got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
		if fault.KindOf(err) == "" || got.Seen != 25 || got.Deleted > 24 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("access denied", func(t *testing.T) {
		f := newFixture(t)
		f.fill(t, keys...)
		f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if isDeletion(r) {
				w.WriteHeader(403)
				_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>")
				return
			}
			next.ServeHTTP(w, r)
		}
		got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
		if fault.KindOf(err) != fault.Denied || got.Seen != 25 || got.Deleted != 0 || len(got.Failed) == 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("processed, but the response is lost", func(t *testing.T) {
		f := newFixture(t)
		f.fill(t, keys...)
		var lost atomic.Bool
		f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if isDeletion(r) && lost.CompareAndSwap(false, true) {
				next.ServeHTTP(discard{http.Header{}}, r)
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		}
		got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
		if err != nil || got.Deleted != 25 || !lost.Load() {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// A hostile or broken store cannot make Purge delete objects outside the prefixes or run forever.
func TestPurgeOfUntrustedListings(t *testing.T) {
	now := time.Now().UTC().Format(time.RFC3339)
	for name, c := range map[string]struct{ body, want string }{
		"outside":  {"<ListBucketResult><Name>bucket</Name><Contents><Key>precious</Key><LastModified>" + now + "</LastModified></Contents></ListBucketResult>", "is not under"},
		"endless":  {"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>", "does not end"},
		"no token": {"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "does not end"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.fill(t, "precious")
			f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				switch {
				case r.Method == "GET" && strings.Contains(r.URL.RawQuery, "list-type"):
					_, _ = io.WriteString(w, c.body)
				case isDeletion(r):
					t.Error("deleted")
				default:
					next.ServeHTTP(w, r)
				}
			}
			_, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
			if fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPurgeInterrupted(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(5, 5)...)
	ctx, cancel := context.WithCancel(t.Context())
	f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isDeletion(r) {
			_, _ = io.Copy(io.Discard, r.Body) // the server detects a closed connection only after reading the body
			cancel()
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	}
	got, err := f.Purge(ctx, sweep("lithops.jobs/"))
	if fault.KindOf(err) != fault.Interrupted || got.Deleted != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Purge deletes all objects of a store that does not support start-after, versions or uploads.
func TestPurgeOfMinimalStore(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(40, 20)...)
	f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		q := r.URL.Query()
		if q.Has("versioning") || q.Has("uploads") {
			w.WriteHeader(501)
			return
		}
		q.Del("start-after")
		r.URL.RawQuery = q.Encode()
		next.ServeHTTP(w, r)
	}
	got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
	if err != nil || got.Seen != 800 || got.Deleted != 800 || len(f.keys(t, "")) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
