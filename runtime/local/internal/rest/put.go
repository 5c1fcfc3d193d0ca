package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

type actionPut struct {
	Publish     *bool           `json:"publish"`
	Exec        *execDoc        `json:"exec"`
	Version     string          `json:"version"` // empty: increment the version of the existing action
	Annotations json.RawMessage `json:"annotations"`
	Del         []string        `json:"delAnnotations"` // keys of annotations to delete
	Parameters  json.RawMessage `json:"parameters"`
	Limits      struct {
		Concurrency *int `json:"concurrency"`
		Logs        *int `json:"logs"`
		Memory      *int `json:"memory"`
		Timeout     *int `json:"timeout"`
	} `json:"limits"`
}

func (a *api) putAction(c call) error {
	overwrite, err := boolParam(c.r.URL.Query(), "overwrite")
	if err != nil {
		return err
	}
	var in actionPut
	if err := a.decode(c, maxActionBody, &in); err != nil {
		return err
	}
	if in.Annotations, err = normalizeKeyValues(in.Annotations, "annotations"); err != nil {
		return err
	}
	if in.Parameters, err = normalizeKeyValues(in.Parameters, "parameters"); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil { // the existing action may be large
		return err
	}
	var code *string
	if in.Exec != nil {
		code = new(string)
		if in.Exec.Code != nil {
			code = in.Exec.Code
		}
	}
	x, err := a.DB.PutAction(c.ns.ID, c.pkg, c.name, code, func(old *state.Action) (state.Action, error) {
		if old != nil && !overwrite {
			return state.Action{}, errExists
		}
		return in.applyTo(old)
	})
	if err != nil {
		return err
	}
	if code == nil {
		existingCode, err := a.code(x)
		if err != nil && !errors.Is(err, state.ErrNotFound) { // the code may have been replaced in the meantime
			return err
		}
		code = &existingCode
	}
	a.respond(c, http.StatusOK, showActionWithCode(c, x, *code))
	return nil
}

// python3 is the kind that replaces python kinds without a version.
const python3 = "python:3"

var pythonKind = text.NewPattern(`^python:3(\.\d{1,2})?$`)

var version = text.NewPattern(`^\d{1,9}(\.\d{1,9}){0,2}$`)

// semanticVersion returns a version with three numbers, like OpenWhisk's SemVer: "1" becomes "1.0.0". It returns "" if
// the version is invalid.
func semanticVersion(v string) string {
	if !version.MatchString(v) {
		return ""
	}
	var n [3]int
	for i, part := range strings.Split(v, ".") {
		n[i], _ = strconv.Atoi(part)
	}
	if n == [3]int{} {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2])
}

// check validates everything that does not depend on the existing action.
func (in *actionPut) check() error {
	if e := in.Exec; e != nil {
		if e.Kind == "python" || e.Kind == "python:default" {
			e.Kind = python3
		}
		switch {
		case e.Kind == "sequence":
			return notImplemented("sequences")
		case e.Image != "" && !isImage(e.Image):
			return badRequest("The request content was malformed:\ncould not parse image name")
		case e.Kind == "blackbox" && e.Image == "":
			return badRequest("The request content was malformed:\n'image' must be a string defined in 'exec' for 'blackbox' actions")
		case e.Kind != "blackbox" && !pythonKind.MatchString(e.Kind):
			return badRequest("The request content was malformed:\nThe specified runtime '%s' is not supported by this platform. Valid values are: '%s', 'blackbox'", e.Kind, python3)
		case e.Kind != "blackbox" && e.Code == nil:
			return badRequest("The request content was malformed:\n'code' must be a string or attachment object defined in 'exec' for '%s' actions", e.Kind)
		}
		if e.Code != nil {
			size := int64(len(*e.Code))
			e.Binary = e.Binary || looksBinary(*e.Code)
			if e.Binary {
				size = size / 4 * 3
			}
			if size += int64(len(e.Image) + len(e.Main)); size > maxCode {
				return tooLarge("exec", size, maxCode)
			}
		}
	}
	if string(annotationValue(in.Annotations, webExport)) == "true" {
		return notImplemented(webActions)
	}
	if in.Version != "" {
		if in.Version = semanticVersion(in.Version); in.Version == "" {
			return badRequest("The request content was malformed:\nsemantic version malformed")
		}
	}
	l := in.Limits
	for _, limit := range []struct {
		value    *int
		name     string
		unit     string
		min, max int
	}{
		{l.Memory, "memory size", " MB", MinMemoryMB, MaxMemoryMB},
		{l.Timeout, "duration", " milliseconds", minTimeoutMS, MaxTimeoutMS},
		{l.Logs, "log size", " MB", 0, maxLogsMB},
		{l.Concurrency, "concurrency", "", 1, maxConcurrency},
	} {
		switch {
		case limit.value == nil:
		case *limit.value < 0 && strings.HasSuffix(limit.unit, "MB"):
			return badRequest("The request content was malformed:\nrequirement failed: a negative size of an object is not allowed.")
		case *limit.value < limit.min:
			return badRequest("requirement failed: %s %d%s below allowed threshold of %d%s", limit.name, *limit.value, limit.unit, limit.min, limit.unit)
		case *limit.value > limit.max:
			return badRequest("requirement failed: %s %d%s exceeds allowed threshold of %d%s", limit.name, *limit.value, limit.unit, limit.max, limit.unit)
		}
	}
	return nil
}

// looksBinary reports whether the code is a base64-encoded zip archive. Like OpenWhisk, the endpoint checks this if
// "binary" is not set.
func looksBinary(code string) bool { return strings.HasPrefix(code, "UEsDB") }

// applyTo returns the action after the update. Fields that are not in the request keep their values.
func (in *actionPut) applyTo(old *state.Action) (state.Action, error) {
	x := state.Action{MemoryMB: defaultMemoryMB, TimeoutMS: defaultTimeout, LogsMB: maxLogsMB, Concurrency: 1}
	if old != nil {
		x = *old
	} else if in.Exec == nil {
		return x, badRequest("exec undefined")
	} else {
		x.Annotations = json.RawMessage(`[{"key":"` + provideKey + `","value":false},{"key":"exec","value":""}]`)
	}
	if in.Exec != nil {
		x.Kind, x.Image, x.Main, x.Binary = in.Exec.Kind, withoutDigest(in.Exec.Image), in.Exec.Main, in.Exec.Binary
	}
	set := func(to *int, from *int) {
		if from != nil {
			*to = *from
		}
	}
	set(&x.MemoryMB, in.Limits.Memory)
	set(&x.TimeoutMS, in.Limits.Timeout)
	set(&x.LogsMB, in.Limits.Logs)
	set(&x.Concurrency, in.Limits.Concurrency)
	if in.Publish != nil {
		x.Publish = *in.Publish
	}
	var err error
	x.Version = in.Version
	if x.Annotations, err = mergeAnnotations(x.Annotations, in.Annotations, in.Del); err != nil {
		return x, err
	}
	if in.Parameters != nil {
		x.Parameters = in.Parameters
	}
	return x, nil
}

// mergeAnnotations merges the sent annotations into the existing ones. Like OpenWhisk, it keeps annotations that are
// not sent, and deletes those in del.
func mergeAnnotations(old, sent json.RawMessage, del []string) (json.RawMessage, error) {
	list, err := parseKeyValues(old)
	if err != nil {
		return nil, err
	}
	more, err := parseKeyValues(sent)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(kv keyValue) bool { return slices.Contains(del, kv.Key) })
	for _, kv := range more {
		if at := slices.IndexFunc(list, func(old keyValue) bool { return old.Key == kv.Key }); at >= 0 {
			list[at] = kv
		} else {
			list = append(list, kv)
		}
	}
	return json.Marshal(list)
}

// provideKey is the annotation that controls whether an action receives the API key. Actions of earlier releases
// without the annotation receive it. A new action without the annotation gets the value false.
const provideKey = "provide-api-key"

// webExport is the annotation that makes an action accessible to browsers without credentials.
const webExport = "web-export"

// isImage reports whether name is a valid image name, in the grammar of registries and OpenWhisk's ImageName.
func isImage(name string) bool {
	_, err := reference.Parse(name)
	return err == nil
}

// withoutDigest returns an image name as OpenWhisk stores it: with registry, path and tag, but without a digest.
func withoutDigest(image string) string {
	image, _, _ = strings.Cut(image, "@")
	return image
}
