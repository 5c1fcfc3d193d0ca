package transport

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// guard refuses requests that would disclose data: requests without TLS to another machine, requests to a host other
// than the one that the credentials are for, and redirects to another host.
type guard struct {
	next      http.RoundTripper
	origin    *url.URL // nil for any host
	err       error    // of invalid options
	userAgent string
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.check(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	if g.userAgent != "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", g.userAgent)
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil || resp.StatusCode < 300 || resp.StatusCode > 399 {
		return resp, err
	}
	if to, err := resp.Location(); err == nil && !sameOrigin(req.URL, to) {
		resp.Body.Close()
		return nil, wrongHost(baseURL(req.URL), text.Line(to.Host, 200))
	}
	return resp, nil
}

func (g *guard) check(req *http.Request) error {
	if g.err != nil {
		return g.err
	}
	host := req.URL.Host
	if req.URL.Scheme != "https" && !ThisMachine(req.URL.Hostname()) {
		return fault.New(fault.Invalid,
			i18n.M("{{.URL}} does not use TLS and is not on this machine, so nothing was sent.", "URL", baseURL(req.URL)),
			i18n.M("Use an endpoint that starts with https://."))
	}
	if g.origin != nil && !sameOrigin(g.origin, req.URL) {
		return wrongHost(baseURL(g.origin), host)
	}
	return nil
}

func wrongHost(origin, host string) error {
	return fault.New(fault.Denied,
		i18n.M("{{.Origin}} points to {{.Host}}. Nothing was sent there because the credentials are only for {{.Origin}}.",
			"Origin", origin, "Host", host),
		i18n.M("Check the endpoint and its region."))
}

// Loopback reports whether a host name or address belongs to the loopback interface.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// ThisMachine reports whether a host is this machine: a loopback name, or the address of one of its network interfaces,
// such as the bridge to its containers.
func ThisMachine(host string) bool {
	if Loopback(host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs()
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr.Unmap() {
			return true
		}
	}
	return false
}

func parseOrigin(o Options) (*url.URL, error) {
	if o.Origin == "" && !o.Auth.isSet() {
		return nil, nil
	}
	u, err := url.Parse(o.Origin)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid,
			i18n.M("The endpoint {{.Endpoint}} is not a URL.", "Endpoint", ShownURL(o.Origin)),
			i18n.M("Specify it as https://HOST[:PORT]."))
	}
	return u, nil
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(hostPort(a), hostPort(b))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
