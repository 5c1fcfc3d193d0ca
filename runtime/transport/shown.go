package transport

import (
	"net/url"
	"strings"
)

// place is where a URL points to, without what it may carry: no user, path or query.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host }

// ShownURL returns an address as it may be shown: without the user part, the query and the fragment, where people and
// programs put passwords and keys. What is no URL, because a password in it was not escaped, begins behind its last @.
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
