package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// proxyOf returns the proxy for a request: the one in the options, or else the one in the environment.
func (o Options) proxyOf(req *http.Request) (*url.URL, error) {
	switch {
	case o.Proxy == "":
		return proxyOf(req)
	case ThisMachine(req.URL.Hostname()):
		return nil, nil
	}
	return url.Parse(o.Proxy)
}

// proxyOf returns the proxy for a request according to the environment. If the proxy's address is invalid, the error
// does not contain it, unlike Go's own error: usually the address is invalid because of an unescaped # or / in its
// password.
func proxyOf(req *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil || proxy == nil && !ThisMachine(req.URL.Hostname()) && proxyIgnored(req.URL.Scheme) || proxy != nil && (proxy.Fragment != "" || proxy.RawQuery != "" || strings.Trim(proxy.Path, "/") != "") {
		return nil, fault.New(fault.Invalid,
			i18n.M("The proxy address in HTTPS_PROXY is invalid."),
			i18n.M("Set it to http://USER:PASSWORD@HOST:PORT. In the user and password, write characters such as @, :, / and # as %40, %3A, %2F and %23."))
	}
	return proxy, nil
}

// proxyIgnored reports whether the environment sets a proxy for a scheme that Go ignores because its address is
// invalid. Go would then send requests without the proxy.
func proxyIgnored(scheme string) bool {
	for _, name := range []string{strings.ToUpper(scheme) + "_PROXY", scheme + "_proxy"} {
		if address := os.Getenv(name); address != "" {
			_, asItIs := url.Parse(address)
			_, withScheme := url.Parse("http://" + address)
			return asItIs != nil && withScheme != nil
		}
	}
	return false
}

// connectRefused returns the error for a proxy that responds to CONNECT with a status other than 200. Go itself would
// report only the text of the status line. The error contains the address of the proxy, but not the user and password
// that the environment may contain.
func connectRefused(_ context.Context, proxy *url.URL, req *http.Request, resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusOK:
		return nil
	case resp.StatusCode == http.StatusProxyAuthRequired && proxy.User == nil:
		return fault.New(fault.Denied,
			i18n.M("The proxy {{.Proxy}} requires a user and password.", "Proxy", proxy.Host),
			i18n.M("Set HTTPS_PROXY to http://USER:PASSWORD@{{.Proxy}}.", "Proxy", proxy.Host))
	case resp.StatusCode == http.StatusProxyAuthRequired, resp.StatusCode == http.StatusUnauthorized:
		return fault.New(fault.Denied,
			i18n.M("The proxy {{.Proxy}} rejected the user or password in HTTPS_PROXY.", "Proxy", proxy.Host),
			i18n.M("Correct the user or password. Write characters such as @ and : as %40 and %3A."))
	}
	refused := fault.New(KindOfStatus(resp.StatusCode),
		i18n.M("The proxy {{.Proxy}} did not connect to {{.Host}}: {{.Status}}.", "Proxy", proxy.Host, "Host", req.Host, "Status", text.Line(resp.Status, 100)),
		i18n.M("Check HTTPS_PROXY. If the host does not need a proxy, add it to NO_PROXY."))
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return refused.Because(errHostUnreachable)
	}
	return refused
}

// errHostUnreachable is the cause of an error if a proxy could not reach a host. A retry may succeed.
var errHostUnreachable = errors.New("the proxy cannot reach the host")

// unreachableProxy returns the error for a proxy that cannot be reached.
func unreachableProxy(address string, err error) error {
	return fault.New(fault.Unavailable,
		i18n.M("The proxy {{.Proxy}} cannot be reached.", "Proxy", address),
		i18n.M("Check HTTPS_PROXY. If the host does not need a proxy, add it to NO_PROXY.")).Because(err)
}

// failedProxy reports whether a request failed because its proxy could not be reached, and returns the proxy's address.
func failedProxy(req *http.Request, err error) (address string, failed bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "proxyconnect" {
		return "", false
	}
	if proxy, err := proxyOf(req); err == nil && proxy != nil {
		address = proxy.Host
	}
	return address, true
}
