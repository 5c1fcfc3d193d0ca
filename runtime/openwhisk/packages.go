package openwhisk

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/apache/openwhisk-client-go/whisk"
)

// Package is a group of actions.
type Package struct {
	Name      string
	UpdatedAt time.Time
}

// Packages returns the packages of the namespace. It requests the next page in advance. Do not delete packages while
// reading because pages are addressed by offset.
func (c *Client) Packages(ctx context.Context) iter.Seq2[Package, error] {
	return list(ctx, c, subject{"namespace", c.state.Name},
		func(p packageRow) string { return p.Name },
		func(p packageRow) Package {
			return Package{Name: p.Name, UpdatedAt: milliseconds(p.Updated)}
		},
		"packages")
}

// packageRow is a package in a list. The type of the library does not fit: "binding" is a boolean in lists
// (WhiskPackage.scala: summaryAsJson), but an object in single packages.
type packageRow struct {
	Name    string `json:"name"`
	Updated int64  `json:"updated"`
}

// CreatePackage creates a package. It returns false if the package exists.
func (c *Client) CreatePackage(ctx context.Context, name string) (created bool, err error) {
	if err := checkName("package", name); err != nil {
		return false, err
	}
	resp, err := c.sendInNamespace(ctx, true, request{http.MethodPut, "packages/" + url.PathEscape(name) + "?overwrite=false", &whisk.Package{Name: name}})
	switch {
	case err != nil:
		return false, err
	case resp.status == http.StatusConflict:
		return false, nil
	case resp.status >= 300:
		return false, c.responseError(ctx, subject{"package", name}, resp)
	}
	return true, nil
}

// deletePackage deletes an empty package. It returns a fault.NotFound error if the package does not exist, and a
// fault.Conflict error if it contains actions. If the response to a first attempt was lost, the retry returns
// fault.NotFound, too.
func (c *Client) deletePackage(ctx context.Context, name string) error {
	if err := checkName("package", name); err != nil {
		return err
	}
	_, err := c.call(ctx, subject{"package", name}, request{http.MethodDelete, "packages/" + url.PathEscape(name), nil})
	return err
}

// milliseconds converts an OpenWhisk timestamp (ms since 1970). It returns the zero time for 0.
func milliseconds(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
