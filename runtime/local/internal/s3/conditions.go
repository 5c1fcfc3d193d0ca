package s3

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// matchesETag reports whether a list of entity tags contains the given tag or *.
func matchesETag(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
		if tag == "*" || tag == etag {
			return true
		}
	}
	return false
}

// modified returns the modification time of an object in whole seconds, the precision of HTTP.
func modified(o state.Object) time.Time {
	return time.UnixMilli(o.Modified).UTC().Truncate(time.Second)
}

// checkReadConditions evaluates the conditions of a read in the order of RFC 9110, section 13.2.2. prefix is prepended
// to the header names. It returns false if the client already has the object (Not Modified).
func checkReadConditions(h http.Header, prefix string, o state.Object) (bool, error) {
	match, unmodified := h.Get(prefix+"If-Match"), h.Get(prefix+"If-Unmodified-Since")
	switch {
	case match != "" && !matchesETag(match, o.ETag):
		return false, preconditionFailed()
	case match == "" && unmodified != "":
		at, err := date(unmodified)
		if err != nil {
			return false, err
		}
		if modified(o).After(at) {
			return false, preconditionFailed()
		}
	}
	none, since := h.Get(prefix+"If-None-Match"), h.Get(prefix+"If-Modified-Since")
	switch {
	case none != "":
		return !matchesETag(none, o.ETag), nil
	case since != "":
		at, err := date(since)
		return modified(o).After(at), err
	}
	return true, nil
}

func date(text string) (time.Time, error) {
	t, err := http.ParseTime(text)
	if err != nil {
		return t, invalidArgument("'" + text + "' is not a valid HTTP date.")
	}
	return t, nil
}

// checkWriteConditions evaluates the conditions of a write. old is the existing object, or nil if there is none.
func (c *call) checkWriteConditions(old *state.Object) error {
	match, none := c.r.Header.Get("If-Match"), c.r.Header.Get("If-None-Match")
	switch {
	case match != "" && old == nil:
		return newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case match != "" && !matchesETag(match, old.ETag), none != "" && old != nil && matchesETag(none, old.ETag):
		return preconditionFailed()
	}
	return nil
}

// matchesConditions reports whether an object to delete matches the given properties; "" matches any value.
func matchesConditions(old *state.Object, etag, lastModified, size string) (bool, error) {
	if etag != "" && !matchesETag(etag, old.ETag) {
		return false, nil
	}
	if size != "" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return false, invalidArgument("'" + size + "' is not a valid size.")
		}
		if n != old.Size {
			return false, nil
		}
	}
	if lastModified == "" {
		return true, nil
	}
	at, err := date(lastModified)
	if err != nil {
		if at, err = time.Parse(time.RFC3339Nano, lastModified); err != nil {
			return false, invalidArgument("'" + lastModified + "' is not a valid time.")
		}
	}
	return at.Truncate(time.Second).Equal(modified(*old)), nil
}
