package s3

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// names reports whether a list of entity tags has that of an object.
func names(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
		if tag == "*" || tag == etag {
			return true
		}
	}
	return false
}

// modified is the time of an object as HTTP has it: whole seconds.
func modified(o state.Object) time.Time {
	return time.UnixMilli(o.Modified).UTC().Truncate(time.Second)
}

// mayRead tests the conditions of a read in the order of RFC 9110, section 13.2.2. prefix is before the names of the
// headers; it is false for an object that need not be sent again.
func mayRead(h http.Header, prefix string, o state.Object) (bool, error) {
	match, unmodified := h.Get(prefix+"If-Match"), h.Get(prefix+"If-Unmodified-Since")
	switch {
	case match != "" && !names(match, o.ETag):
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
		return !names(none, o.ETag), nil
	case since != "":
		at, err := date(since)
		return modified(o).After(at), err
	}
	return true, nil
}

func date(text string) (time.Time, error) {
	t, err := http.ParseTime(text)
	if err != nil {
		return t, invalidArgument("'" + text + "' is not a date of HTTP.")
	}
	return t, nil
}

// mayWrite tests the conditions of a write against the object that is there, nil when none is.
func (c *call) mayWrite(old *state.Object) error {
	match, none := c.r.Header.Get("If-Match"), c.r.Header.Get("If-None-Match")
	switch {
	case match != "" && old == nil:
		return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case match != "" && !names(match, old.ETag), none != "" && old != nil && names(none, old.ETag):
		return preconditionFailed()
	}
	return nil
}

// asExpected reports whether an object that is to be deleted is the one that is meant; "" is any.
func asExpected(old *state.Object, etag, lastModified, size string) (bool, error) {
	if etag != "" && !names(etag, old.ETag) {
		return false, nil
	}
	if size != "" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return false, invalidArgument("'" + size + "' is no size.")
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
			return false, invalidArgument("'" + lastModified + "' is no time.")
		}
	}
	return at.Truncate(time.Second).Equal(modified(*old)), nil
}
