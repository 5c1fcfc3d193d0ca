package openwhisk

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// generator returns a new page for every request.
type generator struct {
	requests atomic.Int64
	page     func(from string) string
}

func (g *generator) RoundTrip(req *http.Request) (*http.Response, error) {
	g.requests.Add(1)
	q := req.URL.Query()
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(g.page(q.Get("skip") + q.Get("offset")))), Request: req}, nil
}

// rows returns a function that generates pages with 200 new entries. Each entry has a description of padding bytes.
func rows(padding int) func(from string) string {
	return func(from string) string {
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, `,{"id":"%s-%d","name":"p%s-%d","description":"%s"}`, from, i, from, i, strings.Repeat("x", padding))
		}
		return "[" + b.String()[1:] + "]"
	}
}

// If a service always returns new entries, every list ends with an error after a limited number of entries and bytes.
func TestListsAreLimited(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	count := func(seq iter.Seq2[string, error]) (n int, last error) {
		for _, err := range seq {
			if last = err; err == nil {
				n++
			}
		}
		return n, last
	}
	const bytes = 32 << 20 // smaller than transport.MaxListBytes to save time
	namespaces := func(from string) string {
		return `{"total_count":2000000000,"namespaces":` + rows(0)(from) + `}`
	}
	for name, tc := range map[string]struct {
		page  func(string) string
		list  func(c *Client) iter.Seq2[string, error]
		limit int64 // requests
	}{
		"packages":           {rows(0), packageNames(t), transport.MaxListEntries/200 + 2*maxParallelPages + 2},
		"long packages":      {rows(20_000), packageNames(t), bytes/(200*20_000) + 2*maxParallelPages + 2},
		"actions":            {rows(0), actionNames(t), transport.MaxListEntries/200 + 2*maxParallelPages + 2},
		"IBM's namespaces":   {namespaces, namespaceNames(t), transport.MaxListEntries/200 + 2},
		"endless namespaces": {func(string) string { return `{"total_count":2000000000,"namespaces":[{"id":"a","name":"b"}]}` }, namespaceNames(t), transport.MaxPages + 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := &generator{page: tc.page}
			c := New(Options{Endpoint: "https://x.test", Transport: g})
			c.listBytes = bytes
			n, err := count(tc.list(c))
			if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "endless list") {
				t.Errorf("after %d entries: %v", n, err)
			}
			if got := g.requests.Load(); got > tc.limit {
				t.Errorf("%d requests, want %d at most", got, tc.limit)
			}
		})
	}
}

func packageNames(t *testing.T) func(c *Client) iter.Seq2[string, error] {
	return func(c *Client) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for p, err := range c.Packages(t.Context()) {
				if !yield(p.Name, err) {
					return
				}
			}
		}
	}
}

func actionNames(t *testing.T) func(c *Client) iter.Seq2[string, error] {
	return func(c *Client) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for a, err := range c.Actions(t.Context(), "p") {
				if !yield(a.Name, err) {
					return
				}
			}
		}
	}
}

func namespaceNames(t *testing.T) func(c *Client) iter.Seq2[string, error] {
	return func(c *Client) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			all, err := c.namespaces(t.Context())
			for _, ns := range all {
				if !yield(ns.Name, nil) {
					return
				}
			}
			if err != nil {
				yield("", err)
			}
		}
	}
}
