package connect

import (
	"net/http"
	"net/url"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// private returns the private name of an endpoint of a service of IBM Cloud when the session is set to private endpoints;
// other hosts beyond this machine are then refused, because traffic to them leaves the private network.
func (p *opening) private(endpoint string, of ibmService) (string, error) {
	if s := p.o.Host.Session; s == nil || !s.PrivateEndpoint || loopback(endpoint) {
		return endpoint, nil
	}
	if private, ok := of.privately(endpoint); ok {
		return private, nil
	}
	return "", leavesPrivate(endpoint)
}

func leavesPrivate(endpoint string) error {
	return fault.New(fault.Invalid,
		i18n.M("The session uses private endpoints, but '{{.Endpoint}}' is not a private endpoint of IBM Cloud.", "Endpoint", transport.ShownURL(endpoint)),
		i18n.M("Log in to the public endpoint with 'ibmcloud login -a cloud.ibm.com', or use another configuration."))
}

func loopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && transport.Loopback(u.Hostname())
}

// privateOnly refuses requests to registries that have no private name, when the session is set to private endpoints. IBM
// Cloud's own have one ("private.us.icr.io"); an image names its registry, so no other one can take its place.
func (p *opening) privateOnly(next http.RoundTripper) http.RoundTripper {
	if s := p.o.Host.Session; s == nil || !s.PrivateEndpoint {
		return next
	}
	return registries{next}
}

type registries struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r registries) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Hostname()
	if !transport.Loopback(host) && !(strings.HasPrefix(host, "private.") && strings.HasSuffix(host, ".icr.io")) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, leavesPrivate(req.URL.Scheme + "://" + req.URL.Host)
	}
	return r.next.RoundTrip(req)
}
