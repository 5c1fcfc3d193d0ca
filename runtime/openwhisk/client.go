// Package openwhisk speaks the REST API of Apache OpenWhisk, which IBM Cloud Functions has in common with every other
// OpenWhisk: namespaces, packages, actions, invocations, activations.
//
// What may go in: that API, its paging, its errors. What may not: what Lithops makes of it, and how requests get to the
// server (runtime/transport).
package openwhisk

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// Options says where the service is.
type Options struct {
	// Endpoint is the URL of the host, without /api/v1: "https://us-south.functions.cloud.ibm.com".
	Endpoint string
	// Namespace gives the namespace of every path but /namespaces, when it is needed: the GUID on IBM Cloud
	// Functions, the name elsewhere. Nil: "_", the caller's own.
	Namespace func(ctx context.Context) (string, error)
	// Doubt is told of a namespace that an answer (403, or 404 for what must be there) casts doubt on. It tells whether
	// Namespace gives another one now, so that the request is worth repeating. Nil: never.
	Doubt func(ctx context.Context, namespace string) (another bool, err error)
	// Transport sends the requests, and puts the credentials on them.
	Transport http.RoundTripper
	// LoginHint replaces the remedy of a 401 or 403, where the caller knows where the credentials came from.
	LoginHint i18n.Message
}

// Client implements the ports Namespaces, Packages, Actions and Invoker. It may be used from several goroutines.
type Client struct {
	base      *url.URL // ends in /api
	namespace func(ctx context.Context) (string, error)
	doubt     func(ctx context.Context, namespace string) (bool, error)
	transport http.RoundTripper
	loginHint i18n.Message
	err       error // the endpoint is no URL
}

// New makes a client. Nothing is sent before it is used.
func New(o Options) *Client {
	c := &Client{namespace: o.Namespace, doubt: o.Doubt, transport: o.Transport, loginHint: o.LoginHint}
	if c.namespace == nil {
		c.namespace = func(context.Context) (string, error) { return "_", nil }
	}
	endpoint := strings.TrimSuffix(strings.TrimRight(o.Endpoint, "/"), "/api/v1")
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		c.err = fault.New(fault.Invalid,
			i18n.M("The endpoint of the compute service is not a URL of the form https://HOST[:PORT]."),
			i18n.M("Correct the endpoint in the Lithops configuration."))
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
		return answer{}, c.refusal(about, a)
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
	if err != nil || c.doubt == nil || a.status != http.StatusForbidden && (a.status != http.StatusNotFound || !strange) {
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
