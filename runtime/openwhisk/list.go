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

// pageSize is the most that OpenWhisk gives in one page (its default is 30).
const pageSize = 200

// maxWave is how many pages are asked for at the same time. The first request asks for one page, and waves double: a
// short list costs one request, a long one few round trips, and at most maxWave-1 requests are for nothing.
const maxWave = 4

// list reads all pages of a list. A page with fewer entries than were asked for is the last one. name tells entries
// apart: what was seen already is left out, since entries move between pages while others are made or removed, and a
// full page that brings nothing new means that the server ignores "skip": the list would be cut or endless.
func list[T, E any](ctx context.Context, c *Client, about subject, name func(T) string, entry func(T) E,
	path string) iter.Seq2[E, error] {
	seen := map[string]bool{}
	skip, width := 0, 1
	var size atomic.Int64 // of all answers
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	read := func(ctx context.Context, skip int) ([]T, error) {
		a, err := c.call(ctx, about, request{http.MethodGet, fmt.Sprintf("%s%slimit=%d&skip=%d", path, separator, pageSize, skip), nil})
		if err != nil {
			return nil, err
		}
		if size.Add(int64(len(a.body))) > c.listBytes {
			return nil, endless(about)
		}
		var rows []T
		if err := json.Unmarshal(a.body, &rows); err != nil {
			return nil, unreadable(about, err)
		}
		return rows, nil
	}
	next := func(ctx context.Context) ([]E, bool, error) {
		var out []E
		for rows, err := range wave(ctx, skip, width, read) {
			if err != nil {
				return nil, false, err
			}
			before := len(out)
			for _, row := range rows {
				if n := name(row); !seen[n] {
					seen[n] = true
					out = append(out, entry(row))
				}
			}
			if len(rows) < pageSize {
				return out, false, nil
			}
			if len(out) == before {
				return nil, false, endless(about)
			}
		}
		skip, width = skip+width*pageSize, min(2*width, maxWave)
		return out, true, nil
	}
	return transport.ReadAhead(ctx, next, func() error { return endless(about) })
}

// wave reads several pages at the same time and gives them in their order. Whoever has had enough ends the rest.
func wave[T any](ctx context.Context, skip, width int, read func(ctx context.Context, skip int) ([]T, error)) iter.Seq2[[]T, error] {
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

func endless(about subject) error {
	return fault.New(fault.Failed,
		i18n.M("The compute service returned an endless list for {{.Subject}}.", "Subject", about.message()),
		i18n.M("Check the endpoint."))
}
