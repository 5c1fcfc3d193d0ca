// Package codeengine implements the compute service for IBM Cloud Code Engine. Client implements the parts of its
// REST API (version 2) that jobs need. Compute maps Lithops runtimes to jobs whose code is in a config map.
//
// It contains paging and error handling of the API. It does not implement operations, and requests reach the server
// through runtime/transport.
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

// Options defines how to reach the service.
type Options struct {
	// Endpoint is the URL of the host of the region without /v2, for example
	// "https://api.us-south.codeengine.cloud.ibm.com".
	Endpoint string
	Project  Project
	// Transport sends the requests and adds the credentials.
	Transport http.RoundTripper
	// LoginHint replaces the default remedy for status 401 and 403. Callers set it if they know the source of the
	// credentials.
	LoginHint i18n.Message
}

// Client accesses the API in one project. It is safe for concurrent use.
type Client struct {
	base      *url.URL // ends in /v2
	project   project
	transport http.RoundTripper
	loginHint i18n.Message
	err       error // set if the endpoint is not a URL
}

// New returns a client. It sends no requests.
func New(o Options) *Client {
	c := &Client{project: project{Project: o.Project, configuredName: o.Project.Name}, transport: o.Transport, loginHint: o.LoginHint}
	u, err := transport.ParseEndpoint(o.Endpoint)
	if err != nil {
		c.err = err
		return c
	}
	c.base = u.JoinPath("v2")
	return c
}

// apiVersion is the date of the API version. Each request specifies it.
const apiVersion = "2025-07-10"

// request is an API request.
type request struct {
	method  string
	path    []string // relative to /v2, not escaped
	query   url.Values
	body    any    // sent as JSON; nil for none
	ifMatch string // If-Match header; empty for none
	about   subject
}

// do sends a request and decodes the response into result, which may be nil. A response other than 2xx is returned as
// a fault. The transport may retry all requests: resources are created with a name, so a second attempt results in a
// conflict.
func (c *Client) do(ctx context.Context, r request, result any) error {
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
		return c.responseError(r.about, resp.StatusCode, body)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(body, result); err != nil {
		return unreadableResponse(r.about, err)
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
	if r.ifMatch != "" {
		req.Header.Set("If-Match", r.ifMatch)
	}
	return req, nil
}

// doInProject sends a request for a resource of the project.
func (c *Client) doInProject(ctx context.Context, r request, result any) error {
	id, err := c.projectID(ctx)
	if err != nil {
		return err
	}
	r.path = append([]string{"projects", id}, r.path...)
	return c.do(ctx, r, result)
}
