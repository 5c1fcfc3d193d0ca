package functions

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/apache/openwhisk-client-go/whisk"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport/pages"
)

// pageSize is the most that OpenWhisk gives in one page (its default is 30).
const pageSize = 200

// list reads all pages of a list. A page with fewer entries than were asked for is the last one. name tells entries
// apart: what was seen already is left out, since entries move between pages while others are made or removed, and a
// full page that brings nothing new means that the server ignores "skip": the list would be cut or endless.
func list[T, E any](ctx context.Context, c *Client, about subject, name func(T) string, entry func(T) E,
	page func(w *whisk.Client, limit, skip int) error) iter.Seq2[E, error] {
	seen := map[string]bool{}
	skip := 0
	next := func(ctx context.Context) ([]E, bool, error) {
		a, err := c.call(ctx, false, about, func(w *whisk.Client) error { return page(w, pageSize, skip) })
		if err != nil {
			return nil, false, err
		}
		var rows []T
		if err := json.Unmarshal(a.body, &rows); err != nil {
			return nil, false, unreadable(about, err)
		}
		var out []E
		for _, row := range rows {
			if n := name(row); !seen[n] {
				seen[n] = true
				out = append(out, entry(row))
			}
		}
		if len(rows) >= pageSize && len(out) == 0 {
			return nil, false, endless(about)
		}
		skip += len(rows)
		return out, len(rows) >= pageSize, nil
	}
	return pages.Ahead(ctx, next, func() error { return endless(about) })
}

func endless(about subject) error {
	return fault.New(fault.Failed,
		i18n.M("The compute service repeats its list for {{.Subject}} without end.", "Subject", about.message()),
		i18n.M("Check the endpoint."))
}
