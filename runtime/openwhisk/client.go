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

	"github.com/apache/openwhisk-client-go/whisk"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
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

// answer is what came back for a request, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// library gives the OpenWhisk client for one call, bound to its context. It only makes the request: the answer never
// reaches it, because it judges answers by localised texts, panics on some, and silently accepts what it cannot read.
// The namespace goes into the path as it is.
func (c *Client) library(ctx context.Context, namespace string) (*whisk.Client, *recorder, error) {
	rec := &recorder{next: transport.Bound(ctx, c.transport), code: codeOf(ctx)}
	w, err := whisk.NewClient(&http.Client{Transport: rec}, &whisk.Config{
		Host:      c.base.String(),
		BaseURL:   c.base,
		Namespace: namespace,
		AuthToken: placeholder,
	})
	return w, rec, err
}

// call makes one request through the library and judges the answer: 2xx comes back, everything else is a fault.
// about names what the request is about, for the fault.
func (c *Client) call(ctx context.Context, escape bool, about subject, request func(w *whisk.Client) error) (answer, error) {
	// An action that is not there is nothing strange.
	a, err := c.raw(ctx, escape, about.kind != "action", request)
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
func (c *Client) raw(ctx context.Context, escape, strange bool, request func(w *whisk.Client) error) (answer, error) {
	if c.err != nil {
		return answer{}, c.err
	}
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	ns, err := c.namespace(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := c.in(ctx, ns, escape, request)
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
	return c.in(ctx, ns, escape, request)
}

// in makes one request in a namespace.
func (c *Client) in(ctx context.Context, ns string, escape bool, request func(w *whisk.Client) error) (answer, error) {
	if escape { // the library escapes the namespace in lists only
		ns = url.PathEscape(ns)
	}
	w, rec, err := c.library(ctx, ns)
	if err == nil {
		err = request(w)
	}
	switch {
	case rec != nil && rec.err != nil:
		return answer{}, rec.err
	case rec != nil && rec.got != nil:
		return *rec.got, nil
	}
	return answer{}, fault.New(fault.Internal, i18n.M("The request could not be made."), i18n.Message{}).Because(err)
}
