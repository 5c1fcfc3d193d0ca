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

// request is one call of the API.
type request struct {
	method string
	path   string // below the namespace, escaped, with the query
	body   any    // is sent as JSON; nil: none
}

// answer is what came back for a request, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request in a namespace, "" for none, and sends it. Requests are made by OpenWhisk's own library; what comes
// back is read here, because the library judges answers by localised texts, panics on some, and accepts what it cannot
// read.
func (c *Client) send(ctx context.Context, namespace string, r request) (answer, error) {
	if c.err != nil {
		return answer{}, c.err
	}
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	route, err := url.Parse(r.path)
	if err != nil {
		return answer{}, impossible(err)
	}
	library, err := whisk.NewClient(nil, &whisk.Config{Host: c.base.Host, BaseURL: c.base, Namespace: namespace})
	if err != nil {
		return answer{}, impossible(err)
	}
	req, err := library.NewRequestUrl(r.method, route, r.body, namespace != "", whisk.AppendOpenWhiskPathPrefix, whisk.EncodeBodyAsJson, whisk.NoAuth)
	if err != nil {
		return answer{}, impossible(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body) // bounded by the transport
	if err != nil {
		return answer{}, err
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func impossible(err error) error {
	return fault.New(fault.Internal, i18n.M("The request could not be created."), i18n.Message{}).Because(err)
}
