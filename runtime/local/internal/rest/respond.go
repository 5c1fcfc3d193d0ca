package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"fn-runtime/runtime/local/internal/slots"
	"fn-runtime/runtime/local/internal/spool"
	"fn-runtime/runtime/local/internal/state"
)

// apiError is an error response of OpenWhisk: {"error": text, "code": transaction id}. The texts are those of
// https://github.com/apache/openwhisk/blob/master/common/scala/src/main/scala/org/apache/openwhisk/http/ErrorResponse.scala
type apiError struct {
	status    int
	text      string
	retryable bool // the same request may succeed a second later
}

func (p *apiError) Error() string { return p.text }

func badRequest(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

var (
	errNotFound        = &apiError{status: http.StatusNotFound, text: "The requested resource does not exist."}
	errNotInCollection = &apiError{status: http.StatusConflict, text: "Resource by this name exists but is not in this collection."}
	errExists          = &apiError{status: http.StatusConflict, text: "resource already exists"}
	errFull            = &apiError{status: http.StatusInsufficientStorage, text: "The disk of the local endpoint is nearly full, or its store has reached its size limit."}
	errBusy            = &apiError{status: http.StatusServiceUnavailable, text: "The endpoint is overloaded.", retryable: true}
	errNoRoute         = &apiError{status: http.StatusNotFound, text: "The requested resource could not be found."}
)

// unauthorized distinguishes invalid from missing credentials. Like OpenWhisk, it reports invalid credentials only for
// Basic authentication.
func unauthorized(r *http.Request) *apiError {
	text := "The resource requires authentication, which was not supplied with the request"
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Basic") {
		text = "The supplied authentication is invalid"
	}
	return &apiError{status: http.StatusUnauthorized, text: text}
}

func forbidden(path string) *apiError {
	return &apiError{status: http.StatusForbidden, text: fmt.Sprintf("The supplied authentication is not authorized to access '%s'.", path)}
}

func tooLarge(field string, is, allowed int64) *apiError {
	return &apiError{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("%s larger than allowed: %d > %d bytes.", field, is, allowed)}
}

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
		p = errBusy
	case errors.As(err, &large):
		p = tooLarge("Request", max(r.ContentLength, large.Limit+1), large.Limit)
	default:
		a.log.Error("request failed", "path", r.URL.Path, "error", err.Error())
		p = &apiError{status: http.StatusInternalServerError, text: "There was an internal server error."}
		if errors.Is(err, state.ErrDamaged) {
			p.text = state.DamagedText
		}
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="OpenWhisk secure realm",charset=UTF-8`)
	}
	if p.retryable {
		w.Header().Set("Retry-After", "1")
	}
	data, _ := json.Marshal(map[string]any{"error": p.text, "code": w.Header().Get("X-Request-Id")})
	writeJSON(w, p.status, int64(len(data)), bytes.NewReader(data))
}

// respond writes v as a JSON response.
func (a *api) respond(c call, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		a.respondError(c.w, c.r, err)
		return
	}
	out := a.newResponseSpool()
	defer out.Close()
	_, err = out.Write(data)
	if err != nil {
		a.respondError(c.w, c.r, err)
		return
	}
	a.sendSpool(c, status, out)
}

// respondList writes the documents as a JSON array. Only one document is in memory at a time.
func respondList[T any](a *api, c call, docs iter.Seq2[T, error]) error {
	return respondEach(a, c, "[", "]", docs)
}

// respondEach writes the documents, separated by commas, between begin and end of a JSON document. Only one document is
// in memory at a time.
func respondEach[T any](a *api, c call, begin, end string, docs iter.Seq2[T, error]) error {
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	out := a.newResponseSpool()
	defer out.Close()
	if _, err := out.Write([]byte(begin)); err != nil {
		return err
	}
	before := ""
	for doc, err := range docs {
		if err != nil {
			return err
		}
		data, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		if _, err := out.Write(append([]byte(before), data...)); err != nil {
			return err
		}
		before = ","
	}
	if _, err := out.Write([]byte(end)); err != nil {
		return err
	}
	a.sendSpool(c, http.StatusOK, out)
	return nil
}

// newResponseSpool returns a buffer for a response.
func (a *api) newResponseSpool() *spool.Spool {
	return &spool.Spool{Disk: a.DB.Disk(), Dir: a.Temp, Outgoing: true}
}

func (a *api) sendSpool(c call, status int, out *spool.Spool) {
	if out.LowMemory() {
		c.slot.Release()
	}
	writeJSON(c.w, status, out.Size(), out)
}

// writeJSON writes a response with a Content-Length header, so that clients can detect a truncated response.
func writeJSON(w http.ResponseWriter, status int, size int64, body io.WriterTo) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

// decode reads a JSON object of at most limit bytes into v. An empty POST body leaves v unchanged. Like OpenWhisk, it
// requires the content type application/json for a nonempty body. If the body is large, decode acquires the slot of the
// request before it parses the body.
func (a *api) decode(c call, limit int64, v any) error {
	r := c.r
	if t := cmp.Or(r.Header.Get("Content-Type"), "application/octet-stream"); !isJSON(t) && r.ContentLength != 0 {
		return &apiError{status: http.StatusUnsupportedMediaType, text: fmt.Sprintf("The request's Content-Type [%s] is not supported. Expected:\napplication/json", t)}
	}
	if r.ContentLength > limit {
		return tooLarge("Request", r.ContentLength, limit)
	}
	in := &spool.Spool{Disk: a.DB.Disk(), Dir: a.Temp}
	defer in.Close()
	if _, err := io.Copy(in, http.MaxBytesReader(c.w, r.Body, limit)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) || errors.Is(err, state.ErrFull) {
			return err
		}
		return badRequest("The request content was malformed:\n%s", "the body ended early")
	}
	if in.Size() > spool.InMemory {
		if err := c.slot.Acquire(r.Context()); err != nil {
			return err
		}
	}
	data, err := in.Bytes()
	if err != nil {
		return err
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 && r.Method == http.MethodPost {
		return nil
	}
	if len(data) > 0 && data[0] != '{' && json.Valid(data) {
		text := "Object expected in field 'exec'" // OpenWhisk also uses this text for packages
		if r.Method == http.MethodPost {
			text = "JSON object expected"
		}
		return badRequest("The request content was malformed:\n%s", text)
	}
	var wrong *json.UnmarshalTypeError
	if err := json.Unmarshal(data, v); errors.As(err, &wrong) && strings.HasPrefix(wrong.Field, "limits.") {
		return badRequest("The request content was malformed:\n%s limit malformed", strings.TrimPrefix(wrong.Field, "limits."))
	} else if err != nil {
		return badRequest("The request content was malformed:\n%s", err.Error())
	}
	return nil
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
