package codeengine

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fn-runtime/runtime/local/internal/slots"
	"fn-runtime/runtime/local/internal/spool"
	"fn-runtime/runtime/local/internal/state"
)

// apiError is an error response: {"errors": [{"code", "message"}], "trace", "status_code"}.
type apiError struct {
	status  int
	code    string
	message string
}

func (p *apiError) Error() string { return p.message }

func invalid(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "invalid_request", fmt.Sprintf(format, args...)}
}

func quotaExceeded(resources string, limit int) error {
	return &apiError{http.StatusForbidden, "quota_exceeded", fmt.Sprintf("The quota of %d %s is exceeded.", limit, resources)}
}

var (
	errNotFound     = &apiError{http.StatusNotFound, "resource_not_found", "Resource not found."}
	errExists       = &apiError{http.StatusConflict, "resource_already_exists", "A resource with this name already exists."}
	errUnauthorized = &apiError{http.StatusUnauthorized, "unauthorized", "The token is not valid."}
	errTag          = &apiError{http.StatusPreconditionFailed, "entity_tag_mismatch", "The resource has been changed: If-Match does not match its entity_tag."}
	errFull         = &apiError{http.StatusInsufficientStorage, "disk_full", "The disk of the local endpoint is nearly full."}
	errBusy         = &apiError{http.StatusServiceUnavailable, "busy", "The endpoint is overloaded."}
	errStopping     = &apiError{http.StatusServiceUnavailable, "stopping", "The endpoint is stopping."}
)

// respondError writes err as the response.
func (a *api) respondError(w http.ResponseWriter, r *http.Request, err error) {
	var p *apiError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.Is(err, state.ErrNotFound):
		p = errNotFound
	case errors.Is(err, state.ErrFull):
		p = errFull
	case errors.Is(err, slots.ErrBusy):
		w.Header().Set("Retry-After", "1")
		p = errBusy
	case errors.As(err, &large):
		p = &apiError{http.StatusRequestEntityTooLarge, "request_too_large", fmt.Sprintf("The request is larger than %d bytes.", large.Limit)}
	default:
		a.Log.Error("request failed", "path", r.URL.Path, "error", err.Error())
		p = &apiError{http.StatusInternalServerError, "internal_error", "There was an internal error."}
		if errors.Is(err, state.ErrDamaged) {
			p.message = state.DamagedText
		}
	}
	respondJSON(w, p.status, map[string]any{
		"errors": []any{map[string]string{"code": p.code, "message": p.message}},
		"trace":  w.Header().Get("X-Transaction-Id"), "status_code": p.status,
	})
}

// respondJSON writes v as JSON with a Content-Length header, so that clients can detect a truncated response. If v is
// nil, the response has no body.
func respondJSON(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// newResponseSpool returns a buffer for a response.
func (a *api) newResponseSpool() *spool.Spool {
	return &spool.Spool{Disk: a.DB.Disk(), Dir: a.Temp, Outgoing: true}
}

// sendSpool writes a document. If the document is large, the request first releases its slot, so that a slow client
// does not hold a slot.
func (c call) sendSpool(status int, doc *spool.Spool) {
	if doc.LowMemory() {
		c.slot.Release()
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", strconv.FormatInt(doc.Size(), 10))
	c.w.WriteHeader(status)
	_, _ = doc.WriteTo(c.w)
}

// maxBody is the maximum size of a request body in bytes: a config map of maximum size in which JSON escapes every
// byte.
const maxBody = 8 << 20

// decode parses the body as JSON into v.
func decode(c call, v any) error {
	data, err := c.body.Bytes()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return invalid("The body is not valid for this resource: %s", err)
	}
	return nil
}

// maxPage is the maximum number of items in a page, and the default.
const maxPage = 100

// respondPage writes one page of items. The items must be sorted by key; only one of them is in memory at a time. The
// token of the next page is the last key of this page.
func respondPage[T any](a *api, c call, plural string, items iter.Seq2[T, error], key func(T) string, show func(T) any) error {
	q := c.r.URL.Query()
	limit := maxPage
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < 1 || n > maxPage {
			return invalid("limit must be a number from 1 to %d.", maxPage)
		}
		limit = n
	}
	first := *c.r.URL
	first.Scheme, first.Host = "https", c.r.Host
	href := func(start string) string {
		values := url.Values{"limit": {strconv.Itoa(limit)}}
		for name, value := range q {
			if name != "limit" && name != "start" {
				values[name] = value
			}
		}
		if start != "" {
			values.Set("start", start)
		}
		first.RawQuery = values.Encode()
		return first.String()
	}
	out := a.newResponseSpool()
	defer out.Close()
	_, err := fmt.Fprintf(out, `{"limit":%d,%q:[`, limit, plural)
	if err != nil {
		return err
	}
	n, last := 0, ""
	end := map[string]any{"first": map[string]string{"href": href("")}}
	for item, err := range items {
		if err != nil {
			return err
		}
		k := key(item)
		if k <= q.Get("start") {
			continue
		}
		if n == limit {
			end["next"] = map[string]string{"href": href(last), "start": last}
			break
		}
		if n > 0 {
			if _, err := out.Write([]byte(",")); err != nil {
				return err
			}
		}
		if err := json.NewEncoder(out).Encode(show(item)); err != nil {
			return err
		}
		n, last = n+1, k
	}
	tail, err := json.Marshal(end)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "],%s", tail[1:]); err != nil {
		return err
	}
	c.sendSpool(http.StatusOK, out)
	return nil
}

// formatTime formats a time in epoch ms as in documents of the API.
func formatTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05Z") }

// href returns the URL of a resource.
func (c call) href(parts string) string {
	return "https://api." + c.region + ".codeengine.cloud.ibm.com/v2/projects/" + parts
}
