package transport

import (
	"net/url"
	"strings"
)

// baseURL returns the scheme and host of a URL without user, path and query.
func baseURL(u *url.URL) string { return u.Scheme + "://" + u.Host }

// ShownURL returns an address for display, without the user, query and fragment, which may contain passwords and keys.
// If the address is not a valid URL, for instance because of an unescaped password, it removes everything between the
// scheme and the last @.
func ShownURL(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
		return u.String()
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", scheme
	} else {
		scheme += "://"
	}
	rest = rest[strings.LastIndex(rest, "@")+1:]
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + rest
}
