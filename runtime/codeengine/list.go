package codeengine

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// pageSize is how many items are asked for at a time: the most that the service gives.
const pageSize = "100"

// list reads all pages of a list. plural is the member of an answer that has the items. Where the next page begins only
// its predecessor tells.
func list[T any](ctx context.Context, about subject, plural string, query url.Values,
	send func(ctx context.Context, r request, into any) error, path ...string) ([]T, error) {
	start, seen := "", map[string]bool{}
	var size int
	next := func(ctx context.Context) ([]T, bool, error) {
		q := url.Values{"limit": {pageSize}}
		maps.Copy(q, query)
		if start != "" {
			q.Set("start", start)
		}
		var page map[string]json.RawMessage
		if err := send(ctx, request{method: http.MethodGet, path: path, query: q, about: about}, &page); err != nil {
			return nil, false, err
		}
		var items []T
		var following struct {
			Start string `json:"start"`
		}
		if err := json.Unmarshal(page[plural], &items); err != nil {
			return nil, false, unreadable(about, err)
		}
		if raw := page["next"]; raw != nil {
			if err := json.Unmarshal(raw, &following); err != nil {
				return nil, false, unreadable(about, err)
			}
		}
		if size += len(page[plural]); size > transport.MaxListBytes || seen[following.Start] {
			return nil, false, endless(about)
		}
		start = following.Start
		seen[start] = start != ""
		return items, start != "", nil
	}
	var all []T
	for item, err := range transport.ReadAhead(ctx, next, func() error { return endless(about) }) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

func endless(about subject) error {
	return fault.New(fault.Failed,
		i18n.M("The compute service returned an endless list for {{.Subject}}.", "Subject", about.message()),
		i18n.M("Check the endpoint."))
}
