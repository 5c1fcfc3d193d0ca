package rest

import (
	"net/url"
	"strconv"
	"strings"

	"fn-runtime/runtime/text"
)

// Limits of the endpoint. If IBM Cloud Functions and OpenWhisk differ, these are the limits of IBM Cloud Functions,
// because its clients rely on them. Sizes are in bytes unless the name ends in MB.
const (
	MinMemoryMB     = 128
	MaxMemoryMB     = 2048
	defaultMemoryMB = 256
	minTimeoutMS    = 100
	MaxTimeoutMS    = 600_000
	defaultTimeout  = 60_000
	maxLogsMB       = 10
	maxConcurrency  = 500
	maxName         = 256
	maxCode         = 48 << 20
	maxParameters   = 5 << 20
	maxResult       = 5 << 20
	maxActionBody   = maxCode/3*4 + 2*maxParameters // base64-encoded code and the rest of the document
	maxUnwritten    = 64 << 20                      // results and logs that wait for the disk
	defaultPage     = 30
	maxPage         = 200
)

// entityName is the OpenWhisk rule for names. The last character must not be a space.
var entityName = text.NewPattern(`^(?:\w|\w[\w@ .&-]*[\w@.&-])$`)

func checkName(name string) error {
	switch {
	case len(name) > maxName:
		return badRequest("Name segement longer than allowed: %d > %d.", len(name), maxName) // the typo is in OpenWhisk
	case !entityName.MatchString(name):
		return badRequest("The name of the entity contains illegal characters.")
	}
	return nil
}

// paging parses skip and limit of a list. A limit of 0 means the maximum page size.
func paging(q url.Values, collection string) (skip, limit int, err error) {
	limit = defaultPage
	if text := q.Get("limit"); q.Has("limit") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, 0, badRequest("The query parameter 'limit' was malformed:\nThe value '%s' is not an integer for %s.", text, collection)
		}
		if n < 0 || n > maxPage {
			return 0, 0, badRequest("The query parameter 'limit' was malformed:\nThe value '%d' is not in the range of 0 to %d for %s.", n, maxPage, collection)
		}
		if limit = n; n == 0 {
			limit = maxPage
		}
	}
	if text := q.Get("skip"); q.Has("skip") {
		if skip, err = strconv.Atoi(text); err != nil {
			return 0, 0, badRequest("The query parameter 'skip' was malformed:\nThe value '%s' is not an integer for %s.", text, collection)
		}
		if skip < 0 {
			return 0, 0, badRequest("The query parameter 'skip' was malformed:\nThe value '%s' is not greater than or equal to 0 for %s.", text, collection)
		}
	}
	return skip, limit, nil
}

// boolParam parses a boolean parameter in any case: Python clients send True.
func boolParam(q url.Values, name string) (bool, error) {
	switch strings.ToLower(q.Get(name)) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, badRequest("The query parameter '%s' was malformed:\n'%s' is not a valid Boolean value", name, q.Get(name))
}

func millisParam(q url.Values, name string) (int64, error) {
	if !q.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(q.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest("The query parameter '%s' was malformed:\n'%s' is not a valid time in milliseconds", name, q.Get(name))
	}
	return n, nil
}
