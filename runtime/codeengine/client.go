// Package codeengine is the compute service IBM Cloud Code Engine: Client speaks its REST API, version 2, as far as jobs
// need it, and Compute says what a Lithops runtime is there: a job, whose code lies in a config map.
//
// What may go in: that API, its paging, its errors, and what stands for a runtime in it. What may not: operations, and
// how requests get to the server (runtime/transport).
package codeengine

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// Options says where the service is.
type Options struct {
	// Endpoint is the URL of the region's host, without /v2: "https://api.us-south.codeengine.cloud.ibm.com".
	Endpoint string
	Project  Project
	// Transport sends the requests, and puts the credentials on them.
	Transport http.RoundTripper
	// LoginHint replaces the remedy of a 401 or 403, where the caller knows where the credentials came from.
	LoginHint i18n.Message
}

// Client speaks the API in one project. It may be used from several goroutines.
type Client struct {
	base      *url.URL // ends in /v2
	project   project
	transport http.RoundTripper
	loginHint i18n.Message
	err       error // the endpoint is no URL
}

// New makes a client. Nothing is sent before it is used.
func New(o Options) *Client {
	c := &Client{project: project{Project: o.Project, called: o.Project.Name}, transport: o.Transport, loginHint: o.LoginHint}
	u, err := transport.ParseEndpoint(o.Endpoint)
	if err != nil {
		c.err = err
		return c
	}
	c.base = u.JoinPath("v2")
	return c
}

// apiVersion is the date of the API's version, which every request names.
const apiVersion = "2025-07-10"

// request is one call of the API.
type request struct {
	method string
	path   []string // below /v2, not escaped
	query  url.Values
	body   any    // is sent as JSON; nil: none
	match  string // If-Match; "": none
	about  subject
}

// do makes a request and reads its answer into what is given, which may be nil. Everything but 2xx is a fault. Requests
// may be repeated by the transport: what is made has a name, so that a second time is a conflict.
func (c *Client) do(ctx context.Context, r request, into any) error {
	if c.err != nil {
		return c.err
	}
	req, err := c.request(transport.With(ctx, transport.Call{Repeatable: true}), r)
	if err != nil {
		return fault.New(fault.Internal, i18n.M("The request could not be created."), i18n.Message{}).Because(err)
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body) // bounded by the transport
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return c.refusal(r.about, resp.StatusCode, body)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unreadable(r.about, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, r request) (*http.Request, error) {
	escaped := make([]string, len(r.path))
	for i, part := range r.path {
		escaped[i] = url.PathEscape(part)
	}
	u := c.base.JoinPath(escaped...)
	query := url.Values{"version": {apiVersion}}
	maps.Copy(query, r.query)
	u.RawQuery = query.Encode()
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	switch {
	case r.body != nil && r.method == http.MethodPatch:
		req.Header.Set("Content-Type", "application/merge-patch+json")
	case r.body != nil:
		req.Header.Set("Content-Type", "application/json")
	}
	if r.match != "" {
		req.Header.Set("If-Match", r.match)
	}
	return req, nil
}

// in makes a request for something in the project.
func (c *Client) in(ctx context.Context, r request, into any) error {
	id, err := c.projectID(ctx)
	if err != nil {
		return err
	}
	r.path = append([]string{"projects", id}, r.path...)
	return c.do(ctx, r, into)
}
