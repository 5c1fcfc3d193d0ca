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

// pageSize is the maximum page size of the service.
const pageSize = "100"

// list reads all pages of a list. plural is the member of the response that contains the items. Each page contains
// the start of the next one.
func list[T any](ctx context.Context, about subject, plural string, query url.Values,
	send func(ctx context.Context, r request, result any) error, path ...string) ([]T, error) {
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
		var nextPage struct {
			Start string `json:"start"`
		}
		if err := json.Unmarshal(page[plural], &items); err != nil {
			return nil, false, unreadableResponse(about, err)
		}
		if raw := page["next"]; raw != nil {
			if err := json.Unmarshal(raw, &nextPage); err != nil {
				return nil, false, unreadableResponse(about, err)
			}
		}
		if size += len(page[plural]); size > transport.MaxListBytes || seen[nextPage.Start] {
			return nil, false, endlessList(about)
		}
		start = nextPage.Start
		seen[start] = start != ""
		return items, start != "", nil
	}
	var all []T
	for item, err := range transport.ReadAhead(ctx, next, func() error { return endlessList(about) }) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

func endlessList(about subject) error {
	return fault.New(fault.Failed,
		i18n.M("The compute service returned an endless list for {{.Subject}}.", "Subject", about.message()),
		i18n.M("Check the endpoint."))
}
