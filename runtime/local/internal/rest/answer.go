package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

// problem is an error answer of OpenWhisk: {"error": text, "code": transaction id}. The texts are those of
// https://github.com/apache/openwhisk/blob/master/common/scala/src/main/scala/org/apache/openwhisk/http/ErrorResponse.scala
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func bad(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

var (
	errMissing      = &problem{http.StatusNotFound, "The requested resource does not exist."}
	errExists       = &problem{http.StatusConflict, "resource already exists"}
	errFull         = &problem{http.StatusInsufficientStorage, "The disk of the local endpoint is nearly full, or its store has reached its size limit."}
	errUnauthorized = &problem{http.StatusUnauthorized, "The supplied authentication is invalid."}
)

func forbidden(what string) *problem {
	return &problem{http.StatusForbidden, fmt.Sprintf("The supplied authentication is not authorized to access '%s'.", what)}
}

func tooLarge(field string, is, allowed int64) *problem {
	return &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("%s larger than allowed: %d > %d bytes.", field, is, allowed)}
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
	case errors.As(err, &large):
		p = tooLarge("Request", max(r.ContentLength, large.Limit+1), large.Limit)
	default:
		a.log.Error("request failed", "path", r.URL.Path, "error", err.Error())
		p = &problem{http.StatusInternalServerError, "There was an internal server error."}
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="whisk rest service"`)
	}
	answer(w, p.status, map[string]any{"error": p.text, "code": w.Header().Get("X-Request-Id")})
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"There was an internal server error."}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// decode reads a JSON object of at most limit bytes into v; an empty body leaves v as it is. OpenWhisk wants
// application/json where it reads a body; a body without a type is taken as such.
func decode(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if t := r.Header.Get("Content-Type"); t != "" && !isJSON(t) && r.ContentLength != 0 {
		return &problem{http.StatusUnsupportedMediaType, "There was a problem with the requests Content-Type:\nExpected 'application/json'"}
	}
	if r.ContentLength > limit {
		return tooLarge("Request", r.ContentLength, limit)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return bad("The request content was malformed:\n%s", "the body ended early")
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return bad("The request content was malformed:\n%s", err.Error())
	}
	return nil
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
