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

// generator makes up a new page for every question.
type generator struct {
	asked atomic.Int64
	page  func(from string) string
}

func (g *generator) RoundTrip(req *http.Request) (*http.Response, error) {
	g.asked.Add(1)
	q := req.URL.Query()
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(g.page(q.Get("skip") + q.Get("offset")))), Request: req}, nil
}

// rows are 200 entries that nobody has seen before; each is as long as a text of padding bytes makes it.
func rows(padding int) func(from string) string {
	return func(from string) string {
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, `,{"id":"%s-%d","name":"p%s-%d","description":"%s"}`, from, i, from, i, strings.Repeat("x", padding))
		}
		return "[" + b.String()[1:] + "]"
	}
}

// A service whose pages always bring something new is left after a bounded number of entries and bytes, in every list.
func TestAListThatAlwaysAdvancesEnds(t *testing.T) {
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
	const bytes = 32 << 20 // in place of transport.MaxListBytes, which takes long to read
	namespaces := func(from string) string {
		return `{"total_count":2000000000,"namespaces":` + rows(0)(from) + `}`
	}
	for name, tc := range map[string]struct {
		page func(string) string
		list func(c *Client) iter.Seq2[string, error]
		most int64 // requests
	}{
		"packages":           {rows(0), packageNames(t), transport.MaxListEntries/200 + 2*maxWave + 2},
		"long packages":      {rows(20_000), packageNames(t), bytes/(200*20_000) + 2*maxWave + 2},
		"actions":            {rows(0), actionNames(t), transport.MaxListEntries/200 + 2*maxWave + 2},
		"IBM's namespaces":   {namespaces, namespaceNames(t), transport.MaxListEntries/200 + 2},
		"endless namespaces": {func(string) string { return `{"total_count":2000000000,"namespaces":[{"id":"a","name":"b"}]}` }, namespaceNames(t), transport.MaxPages + 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := &generator{page: tc.page}
			c := New(Options{Endpoint: "https://x.test", Transport: g})
			c.listBytes = bytes
			n, err := count(tc.list(c))
			if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "has no end") {
				t.Errorf("after %d entries: %v", n, err)
			}
			if got := g.asked.Load(); got > tc.most {
				t.Errorf("%d requests, want %d at most", got, tc.most)
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
