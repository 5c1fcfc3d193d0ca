// Package openwhisk is the compute service Apache OpenWhisk, which IBM Cloud Functions has in common with every other
// OpenWhisk: Client speaks its API, Compute says what a Lithops runtime is there.
//
// What may go in: that API, its paging, its errors, and what stands for a runtime in it. What may not: operations, and
// how requests get to the server (runtime/transport).
package openwhisk

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/transport"
)

// Options says where the service is.
type Options struct {
	// Endpoint is the URL of the host, without /api/v1: "https://us-south.functions.cloud.ibm.com".
	Endpoint  string
	Namespace Namespace
	// Transport sends the requests, and puts the credentials on them.
	Transport http.RoundTripper
	// LoginHint replaces the remedy of a 401 or 403, where the caller knows where the credentials came from.
	LoginHint i18n.Message
}

// Client speaks the API in one namespace. It may be used from several goroutines.
type Client struct {
	base      *url.URL // ends in /api
	place     place
	transport http.RoundTripper
	loginHint i18n.Message
	listBytes int64 // the most that the answers of one list have together
	err       error // the endpoint is no URL
}

// New makes a client. Nothing is sent before it is used.
func New(o Options) *Client {
	c := &Client{place: place{Namespace: o.Namespace}, transport: o.Transport, loginHint: o.LoginHint, listBytes: transport.MaxListBytes}
	if o.Namespace.Scope == (entity.Scope{}) {
		c.place.Scope, c.place.Fixed = entity.Scope{ID: "_", Name: "_"}, true // the caller's own
	}
	u, err := transport.ParseEndpoint(strings.TrimSuffix(strings.TrimRight(o.Endpoint, "/"), "/api/v1"))
	if err != nil {
		c.err = err
		return c
	}
	c.base = u.JoinPath("api")
	return c
}

// call makes one request and judges the answer: 2xx comes back, everything else is a fault. about names what the request
// is about, for the fault.
func (c *Client) call(ctx context.Context, about subject, r request) (answer, error) {
	// An action that is not there is nothing strange.
	a, err := c.raw(ctx, about.kind != "action", r)
	if err != nil {
		return answer{}, err
	}
	if a.status >= 300 {
		return answer{}, c.refusal(ctx, about, a)
	}
	return a, nil
}

// raw makes one request, and once more where the namespace turns out to be another one. strange tells that a 404 casts
// doubt on the namespace.
func (c *Client) raw(ctx context.Context, strange bool, r request) (answer, error) {
	ns, err := c.namespace(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := c.send(ctx, ns, r)
	if err != nil || a.status != http.StatusForbidden && (a.status != http.StatusNotFound || !strange) {
		return a, err
	}
	another, err := c.doubt(ctx, ns)
	if err != nil || !another {
		return a, err
	}
	if ns, err = c.namespace(ctx); err != nil {
		return answer{}, err
	}
	return c.send(ctx, ns, r)
}
