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

// problem is an error answer of OpenWhisk: {"error": text, "code": transaction id}. The texts are those of
// https://github.com/apache/openwhisk/blob/master/common/scala/src/main/scala/org/apache/openwhisk/http/ErrorResponse.scala
type problem struct {
	status int
	text   string
	again  bool // the same request may go through in a second
}

func (p *problem) Error() string { return p.text }

func bad(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

var (
	errMissing = &problem{status: http.StatusNotFound, text: "The requested resource does not exist."}
	errOther   = &problem{status: http.StatusConflict, text: "Resource by this name exists but is not in this collection."}
	errExists  = &problem{status: http.StatusConflict, text: "resource already exists"}
	errFull    = &problem{status: http.StatusInsufficientStorage, text: "The disk of the local endpoint is nearly full, or its store has reached its size limit."}
	errBusy    = &problem{status: http.StatusServiceUnavailable, text: "The endpoint has too much to do at the moment.", again: true}
	errNoRoute = &problem{status: http.StatusNotFound, text: "The requested resource could not be found."}
)

// unauthorized tells wrong credentials from none; OpenWhisk knows those of Basic only.
func unauthorized(r *http.Request) *problem {
	text := "The resource requires authentication, which was not supplied with the request"
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Basic") {
		text = "The supplied authentication is invalid"
	}
	return &problem{status: http.StatusUnauthorized, text: text}
}

func forbidden(what string) *problem {
	return &problem{status: http.StatusForbidden, text: fmt.Sprintf("The supplied authentication is not authorized to access '%s'.", what)}
}

func tooLarge(field string, is, allowed int64) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("%s larger than allowed: %d > %d bytes.", field, is, allowed)}
}

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
		p = errBusy
	case errors.As(err, &large):
		p = tooLarge("Request", max(r.ContentLength, large.Limit+1), large.Limit)
	default:
		a.log.Error("request failed", "path", r.URL.Path, "error", err.Error())
		p = &problem{status: http.StatusInternalServerError, text: "There was an internal server error."}
		if errors.Is(err, state.ErrDamaged) {
			p.text = state.DamagedText
		}
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="OpenWhisk secure realm",charset=UTF-8`)
	}
	if p.again {
		w.Header().Set("Retry-After", "1")
	}
	data, _ := json.Marshal(map[string]any{"error": p.text, "code": w.Header().Get("X-Request-Id")})
	send(w, p.status, int64(len(data)), bytes.NewReader(data))
}

// answer writes v as JSON.
func (a *api) answer(c call, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		a.fail(c.w, c.r, err)
		return
	}
	out := a.outgoing()
	defer out.Close()
	_, err = out.Write(data)
	if err != nil {
		a.fail(c.w, c.r, err)
		return
	}
	a.sendSpool(c, status, out)
}

// answerList writes the documents as a JSON array. One of them is in memory at a time.
func answerList[T any](a *api, c call, docs iter.Seq2[T, error]) error {
	return answerEach(a, c, "[", "]", docs)
}

// answerEach writes the documents, with commas, between the beginning and the end of a JSON document. One of them is in
// memory at a time.
func answerEach[T any](a *api, c call, begin, end string, docs iter.Seq2[T, error]) error {
	if err := c.turn.Acquire(c.r.Context()); err != nil {
		return err
	}
	out := a.outgoing()
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

// outgoing takes an answer.
func (a *api) outgoing() *spool.Spool {
	return &spool.Spool{Disk: a.DB.Disk(), Folder: a.Temp, Outgoing: true}
}

func (a *api) sendSpool(c call, status int, out *spool.Spool) {
	if out.Waits() {
		c.turn.End()
	}
	send(c.w, status, out.Size(), out)
}

// send writes an answer whose length is told before, so that one which is cut does not look whole.
func send(w http.ResponseWriter, status int, size int64, body io.WriterTo) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

// decode reads a JSON object of at most limit bytes into v; the empty body of a POST leaves v as it is. OpenWhisk wants
// application/json where it reads a body. With a large body the request has its turn afterwards.
func (a *api) decode(c call, limit int64, v any) error {
	r := c.r
	if t := cmp.Or(r.Header.Get("Content-Type"), "application/octet-stream"); !isJSON(t) && r.ContentLength != 0 {
		return &problem{status: http.StatusUnsupportedMediaType, text: fmt.Sprintf("The request's Content-Type [%s] is not supported. Expected:\napplication/json", t)}
	}
	if r.ContentLength > limit {
		return tooLarge("Request", r.ContentLength, limit)
	}
	in := &spool.Spool{Disk: a.DB.Disk(), Folder: a.Temp}
	defer in.Close()
	if _, err := io.Copy(in, http.MaxBytesReader(c.w, r.Body, limit)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) || errors.Is(err, state.ErrFull) {
			return err
		}
		return bad("The request content was malformed:\n%s", "the body ended early")
	}
	if in.Size() > spool.InMemory {
		if err := c.turn.Acquire(r.Context()); err != nil {
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
		text := "Object expected in field 'exec'" // OpenWhisk says so of packages, too
		if r.Method == http.MethodPost {
			text = "JSON object expected"
		}
		return bad("The request content was malformed:\n%s", text)
	}
	var wrong *json.UnmarshalTypeError
	if err := json.Unmarshal(data, v); errors.As(err, &wrong) && strings.HasPrefix(wrong.Field, "limits.") {
		return bad("The request content was malformed:\n%s limit malformed", strings.TrimPrefix(wrong.Field, "limits."))
	} else if err != nil {
		return bad("The request content was malformed:\n%s", err.Error())
	}
	return nil
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
