// Package openwhisk implements the compute service for Apache OpenWhisk, including IBM Cloud Functions. Client
// implements the API. Compute maps Lithops runtimes to actions.
//
// It contains paging and error handling of the API. It does not implement operations, and requests reach the server
// through runtime/transport.
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

// Options defines how to reach the service.
type Options struct {
	// Endpoint is the URL of the host without /api/v1, for example "https://us-south.functions.cloud.ibm.com".
	Endpoint  string
	Namespace Namespace
	// Transport sends the requests and adds the credentials.
	Transport http.RoundTripper
	// LoginHint replaces the default remedy for status 401 and 403. Callers set it if they know the source of the
	// credentials.
	LoginHint i18n.Message
}

// Client accesses the API in one namespace. It is safe for concurrent use.
type Client struct {
	base      *url.URL // ends in /api
	state     namespaceState
	transport http.RoundTripper
	loginHint i18n.Message
	listBytes int64 // maximum size of all responses of one list
	err       error // set if the endpoint is not a URL
}

// New returns a client. It sends no requests.
func New(o Options) *Client {
	c := &Client{state: namespaceState{Namespace: o.Namespace}, transport: o.Transport, loginHint: o.LoginHint, listBytes: transport.MaxListBytes}
	if o.Namespace.Scope == (entity.Scope{}) {
		c.state.Scope, c.state.Fixed = entity.Scope{ID: "_", Name: "_"}, true // the namespace of the credentials
	}
	u, err := transport.ParseEndpoint(strings.TrimSuffix(strings.TrimRight(o.Endpoint, "/"), "/api/v1"))
	if err != nil {
		c.err = err
		return c
	}
	c.base = u.JoinPath("api")
	return c
}

// call sends a request and returns the response if its status is 2xx. Otherwise it returns a fault. about is the
// resource that the request is about.
func (c *Client) call(ctx context.Context, about subject, r request) (response, error) {
	// A missing action does not indicate a wrong namespace.
	resp, err := c.sendInNamespace(ctx, about.kind != "action", r)
	if err != nil {
		return response{}, err
	}
	if resp.status >= 300 {
		return response{}, c.responseError(ctx, about, resp)
	}
	return resp, nil
}

// sendInNamespace sends a request in the namespace. A 403 response may mean that the cached ID of the namespace is
// outdated, and so may a 404 response if recheck is set. If the ID has changed, the request is sent again.
func (c *Client) sendInNamespace(ctx context.Context, recheck bool, r request) (response, error) {
	ns, err := c.namespace(ctx)
	if err != nil {
		return response{}, err
	}
	resp, err := c.send(ctx, ns, r)
	if err != nil || resp.status != http.StatusForbidden && (resp.status != http.StatusNotFound || !recheck) {
		return resp, err
	}
	changed, err := c.recheckID(ctx, ns)
	if err != nil || !changed {
		return resp, err
	}
	if ns, err = c.namespace(ctx); err != nil {
		return response{}, err
	}
	return c.send(ctx, ns, r)
}
