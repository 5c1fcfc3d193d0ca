package openwhisk

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// pageSize is the maximum page size of OpenWhisk. Its default is 30.
const pageSize = 200

// maxParallelPages is the maximum number of pages that are requested in parallel. The first request reads one page,
// and the number doubles after that. A short list needs one request, a long list needs few round trips, and at most
// maxParallelPages-1 requests are unnecessary.
const maxParallelPages = 4

// list reads all pages of a list. A page with fewer entries than requested is the last page. Entries move between pages
// if others are created or deleted, so list skips names that it has already returned. A full page without new names
// means that the server ignores "skip". list then returns an error because the list would be incomplete or endless.
func list[T, E any](ctx context.Context, c *Client, about subject, name func(T) string, entry func(T) E,
	path string) iter.Seq2[E, error] {
	seen := map[string]bool{}
	skip, width := 0, 1
	var size atomic.Int64 // of all responses
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	read := func(ctx context.Context, skip int) ([]T, error) {
		resp, err := c.call(ctx, about, request{http.MethodGet, fmt.Sprintf("%s%slimit=%d&skip=%d", path, separator, pageSize, skip), nil})
		if err != nil {
			return nil, err
		}
		if size.Add(int64(len(resp.body))) > c.listBytes {
			return nil, endlessList(about)
		}
		var rows []T
		if err := json.Unmarshal(resp.body, &rows); err != nil {
			return nil, unreadableResponse(about, err)
		}
		return rows, nil
	}
	next := func(ctx context.Context) ([]E, bool, error) {
		var out []E
		for rows, err := range readPages(ctx, skip, width, read) {
			if err != nil {
				return nil, false, err
			}
			known := len(out)
			for _, row := range rows {
				if n := name(row); !seen[n] {
					seen[n] = true
					out = append(out, entry(row))
				}
			}
			if len(rows) < pageSize {
				return out, false, nil
			}
			if len(out) == known {
				return nil, false, endlessList(about)
			}
		}
		skip, width = skip+width*pageSize, min(2*width, maxParallelPages)
		return out, true, nil
	}
	return transport.ReadAhead(ctx, next, func() error { return endlessList(about) })
}

// readPages reads several pages in parallel and yields them in order. If the caller stops, it cancels the remaining
// requests.
func readPages[T any](ctx context.Context, skip, width int, read func(ctx context.Context, skip int) ([]T, error)) iter.Seq2[[]T, error] {
	type page struct {
		rows []T
		err  error
	}
	return func(yield func([]T, error) bool) {
		var all sync.WaitGroup
		defer all.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		got := make([]chan page, width)
		for i := range got {
			got[i] = make(chan page, 1)
			all.Go(func() {
				var p page
				p.err = fault.Try(func() (err error) {
					p.rows, err = read(ctx, skip+i*pageSize)
					return err
				})
				got[i] <- p
			})
		}
		for _, c := range got {
			if p := <-c; !yield(p.rows, p.err) {
				return
			}
		}
	}
}

func endlessList(about subject) error {
	return fault.New(fault.Failed,
		i18n.M("The compute service returned an endless list for {{.Subject}}.", "Subject", about.message()),
		i18n.M("Check the endpoint."))
}
