package connect

import (
	"net/http"
	"net/url"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// private gives the private name of an endpoint of IBM Cloud when the session is set to private endpoints; other hosts
// beyond this machine are then refused, because traffic to them leaves the private network.
func (p *opening) private(endpoint string) (string, error) {
	if s := p.o.Host.Session; s == nil || !s.PrivateEndpoint || loopback(endpoint) {
		return endpoint, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || !ibmHost(endpoint) {
		return "", leavesPrivate(endpoint)
	}
	host := u.Host
	switch {
	case strings.HasPrefix(host, "private.") || strings.Contains(host, ".private.") || strings.Contains(host, ".direct."):
	case strings.HasPrefix(host, "s3."):
		host = "s3.private." + strings.TrimPrefix(host, "s3.")
	default:
		host = "private." + host
	}
	u.Host = host
	return u.String(), nil
}

func leavesPrivate(endpoint string) error {
	return fault.New(fault.Invalid,
		i18n.M("The session uses private endpoints, and '{{.Endpoint}}' is not one of IBM Cloud.", "Endpoint", endpoint),
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
