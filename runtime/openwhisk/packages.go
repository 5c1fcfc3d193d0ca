package openwhisk

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/apache/openwhisk-client-go/whisk"
)

// Package groups actions.
type Package struct {
	Name      string
	UpdatedAt time.Time
}

// Packages lists the packages of the namespace, reading a page ahead. Do not delete packages while reading: paging
// counts entries.
func (c *Client) Packages(ctx context.Context) iter.Seq2[Package, error] {
	return list(ctx, c, subject{"namespace", c.place.Name},
		func(p packageRow) string { return p.Name },
		func(p packageRow) Package {
			return Package{Name: p.Name, UpdatedAt: milliseconds(p.Updated)}
		},
		"packages")
}

// packageRow is what a list says of a package. The library's type does not fit: lists give "binding" as a truth value
// (WhiskPackage.scala: summaryAsJson), single packages as an object.
type packageRow struct {
	Name    string `json:"name"`
	Updated int64  `json:"updated"`
}

// CreatePackage makes a package; created is false when it was there already.
func (c *Client) CreatePackage(ctx context.Context, name string) (created bool, err error) {
	if err := checkName("package", name); err != nil {
		return false, err
	}
	a, err := c.raw(ctx, true, request{http.MethodPut, "packages/" + url.PathEscape(name) + "?overwrite=false", &whisk.Package{Name: name}})
	switch {
	case err != nil:
		return false, err
	case a.status == http.StatusConflict:
		return false, nil
	case a.status >= 300:
		return false, c.refusal(ctx, subject{"package", name}, a)
	}
	return true, nil
}

// deletePackage removes an empty package: fault.NotFound when it is not there, fault.Conflict when it has actions. A
// deletion whose first answer was lost is repeated, and gives fault.NotFound then, too.
func (c *Client) deletePackage(ctx context.Context, name string) error {
	if err := checkName("package", name); err != nil {
		return err
	}
	_, err := c.call(ctx, subject{"package", name}, request{http.MethodDelete, "packages/" + url.PathEscape(name), nil})
	return err
}

// milliseconds is the time of an OpenWhisk timestamp: ms since 1970; the zero time for 0.
func milliseconds(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
