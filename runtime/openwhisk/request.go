package openwhisk

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/apache/openwhisk-client-go/whisk"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// request is an API request.
type request struct {
	method string
	path   string // relative to the namespace, escaped, with the query
	body   any    // sent as JSON; nil for none
}

// response is the complete response to a request.
type response struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request in a namespace, or outside of any namespace if namespace is empty. The OpenWhisk client
// library creates the request. The response is evaluated here because the library interprets responses by localized
// texts, panics on some responses, and accepts responses that it cannot decode.
func (c *Client) send(ctx context.Context, namespace string, r request) (response, error) {
	if c.err != nil {
		return response{}, c.err
	}
	if err := ctx.Err(); err != nil {
		return response{}, err
	}
	route, err := url.Parse(r.path)
	if err != nil {
		return response{}, requestError(err)
	}
	library, err := whisk.NewClient(nil, &whisk.Config{Host: c.base.Host, BaseURL: c.base, Namespace: namespace})
	if err != nil {
		return response{}, requestError(err)
	}
	req, err := library.NewRequestUrl(r.method, route, r.body, namespace != "", whisk.AppendOpenWhiskPathPrefix, whisk.EncodeBodyAsJson, whisk.NoAuth)
	if err != nil {
		return response{}, requestError(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body) // bounded by the transport
	if err != nil {
		return response{}, err
	}
	return response{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func requestError(err error) error {
	return fault.New(fault.Internal, i18n.M("The request could not be created."), i18n.Message{}).Because(err)
}
