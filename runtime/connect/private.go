package connect

import (
	"net/http"
	"net/url"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// privateEndpoint returns endpoint, or the private URL of the service if the session uses private endpoints. In that
// case it returns an error for any other remote host because requests to it would leave the private network.
func (p *opening) privateEndpoint(endpoint string, of ibmService) (string, error) {
	if s := p.o.Host.Session; s == nil || !s.PrivateEndpoint || loopback(endpoint) {
		return endpoint, nil
	}
	if private, ok := of.privateURL(endpoint); ok {
		return private, nil
	}
	return "", notPrivate(endpoint)
}

// notPrivate returns the error for an endpoint outside of the private network.
func notPrivate(endpoint string) error {
	return fault.New(fault.Invalid,
		i18n.M("The session uses private endpoints, but '{{.Endpoint}}' is not a private endpoint of IBM Cloud.", "Endpoint", transport.ShownURL(endpoint)),
		i18n.M("Log in to the public endpoint with 'ibmcloud login -a cloud.ibm.com', or use another configuration."))
}

func loopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && transport.Loopback(u.Hostname())
}

// privateOnly rejects requests to registries without a private host name if the session uses private endpoints. Only
// the registries of IBM Cloud have private names ("private.us.icr.io"). The registry is part of the image name and
// cannot be replaced.
func (p *opening) privateOnly(next http.RoundTripper) http.RoundTripper {
	if s := p.o.Host.Session; s == nil || !s.PrivateEndpoint {
		return next
	}
	return privateRegistries{next}
}

type privateRegistries struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r privateRegistries) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Hostname()
	if !transport.Loopback(host) && !(strings.HasPrefix(host, "private.") && strings.HasSuffix(host, ".icr.io")) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, notPrivate(req.URL.Scheme + "://" + req.URL.Host)
	}
	return r.next.RoundTrip(req)
}
