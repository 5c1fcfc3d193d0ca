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

// problem is an error answer: {"errors": [{"code", "message"}], "trace", "status_code"}.
type problem struct {
	status  int
	code    string
	message string
}

func (p *problem) Error() string { return p.message }

func invalid(format string, args ...any) error {
	return &problem{http.StatusBadRequest, "invalid_request", fmt.Sprintf(format, args...)}
}

func quota(what string, limit int) error {
	return &problem{http.StatusForbidden, "quota_exceeded", fmt.Sprintf("The quota of %d %s is exceeded.", limit, what)}
}

var (
	errMissing      = &problem{http.StatusNotFound, "resource_not_found", "Resource not found."}
	errExists       = &problem{http.StatusConflict, "resource_already_exists", "A resource of that name already exists."}
	errUnauthorized = &problem{http.StatusUnauthorized, "unauthorized", "The token is not valid."}
	errTag          = &problem{http.StatusPreconditionFailed, "entity_tag_mismatch", "The resource has been changed: If-Match does not name its entity_tag."}
	errFull         = &problem{http.StatusInsufficientStorage, "disk_full", "The disk of the local endpoint is nearly full."}
	errBusy         = &problem{http.StatusServiceUnavailable, "busy", "The endpoint has too much to do at the moment."}
	errStopping     = &problem{http.StatusServiceUnavailable, "stopping", "The endpoint is stopping."}
)

func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.Is(err, state.ErrNotFound):
		p = errMissing
	case errors.Is(err, state.ErrFull):
		p = errFull
	case errors.Is(err, slots.ErrBusy):
		w.Header().Set("Retry-After", "1")
		p = errBusy
	case errors.As(err, &large):
		p = &problem{http.StatusRequestEntityTooLarge, "request_too_large", fmt.Sprintf("The request has more than %d bytes.", large.Limit)}
	default:
		a.Log.Error("request failed", "path", r.URL.Path, "error", err.Error())
		p = &problem{http.StatusInternalServerError, "internal_error", "There was an internal error."}
		if errors.Is(err, state.ErrDamaged) {
			p.message = state.DamagedText
		}
	}
	answer(w, p.status, map[string]any{
		"errors": []any{map[string]string{"code": p.code, "message": p.message}},
		"trace":  w.Header().Get("X-Transaction-Id"), "status_code": p.status,
	})
}

// answer writes v as JSON, with its length, so that one which is cut does not look whole; nothing when v is nil.
func answer(w http.ResponseWriter, status int, v any) {
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

// outgoing takes an answer.
func (a *api) outgoing() *spool.Spool {
	return &spool.Spool{Disk: a.DB.Disk(), Folder: a.Temp, Outgoing: true}
}

// send writes a document that may be large, and for which the client is not waited with a turn.
func (c call) send(status int, doc *spool.Spool) {
	if doc.Waits() {
		c.turn.End()
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", strconv.FormatInt(doc.Size(), 10))
	c.w.WriteHeader(status)
	_, _ = doc.WriteTo(c.w)
}

// maxBody bounds a request: a config map of its largest size, each byte escaped as JSON may do it.
const maxBody = 8 << 20

// decode reads the body into v.
func decode(c call, v any) error {
	data, err := c.body.Bytes()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return invalid("The body is not what the resource needs: %s", err)
	}
	return nil
}

// maxPage is how many items a list has, unless the request asks for fewer.
const maxPage = 100

// page answers one page of items, which are in order of their keys, with one of them in memory at a time. The token of the
// next page is the last key of this one.
func page[T any](a *api, c call, plural string, items iter.Seq2[T, error], key func(T) string, show func(T) any) error {
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
	out := a.outgoing()
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
	c.send(http.StatusOK, out)
	return nil
}

// stamp is the form of times.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05Z") }

func (c call) href(parts string) string {
	return "https://api." + c.region + ".codeengine.cloud.ibm.com/v2/projects/" + parts
}
