package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// retryableError reports whether a request that failed without a response may be retried.
func retryableError(ctx context.Context, err error, safe bool) (reason string, repeat bool) {
	var f *fault.Fault
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case ctx.Err() == nil && errors.Is(err, errHostUnreachable):
		return "connection failed", true // nothing was sent
	case ctx.Err() != nil, errors.As(err, &f), untrusted(err), notTLS(err):
		return "", false
	case errors.As(err, &dns):
		return "DNS lookup failed", !dns.IsNotFound
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "socks connect" || op.Op == "proxyconnect"):
		return "connection failed", true // nothing was sent
	case errors.As(err, new(stalled)):
		return "timed out", safe
	}
	return "connection lost", safe
}

// explain converts the last error to a fault. It returns the context's error unchanged if the caller ended the request.
type explain struct{ next http.RoundTripper }

func (e *explain) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := e.next.RoundTrip(req)
	if err == nil {
		return resp, nil
	}
	var f *fault.Fault
	if ctxErr := req.Context().Err(); ctxErr != nil && !errors.As(context.Cause(req.Context()), &f) {
		return nil, ctxErr
	}
	if errors.As(err, &f) {
		return nil, err
	}
	return nil, toFault(req, err)
}

func toFault(req *http.Request, err error) error {
	where := baseURL(req.URL)
	var dns *net.DNSError
	var timeout net.Error
	tryAgain := i18n.M("Check the endpoint and the network, then retry.")
	if proxy, failed := failedProxy(req, err); failed {
		return unreachableProxy(proxy, err)
	}
	switch {
	case errors.As(err, &dns):
		return fault.New(fault.Unavailable,
			i18n.M("The host name {{.Host}} could not be resolved.", "Host", req.URL.Hostname()), tryAgain).Because(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.New(fault.Unavailable,
			i18n.M("{{.URL}} refuses connections.", "URL", where), tryAgain).Because(err)
	case untrusted(err):
		return fault.New(fault.Denied,
			i18n.M("The certificate of {{.URL}} is not trusted: {{.Error}}.", "URL", where, "Error", certificateError(err)),
			i18n.M("Check the endpoint. If your organization issued its certificate, set SSL_CERT_FILE to the bundle that contains the certificate authority.")).Because(err)
	case notTLS(err):
		return fault.New(fault.Invalid,
			i18n.M("{{.URL}} does not support TLS.", "URL", where), i18n.M("Check the scheme and the port of the endpoint.")).Because(err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fault.New(fault.Timeout,
			i18n.M("{{.URL}} did not respond in time.", "URL", where), tryAgain).Because(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.Unavailable,
			i18n.M("{{.URL}} closed the connection in the middle of its response.", "URL", where), tryAgain).Because(err)
	}
	return fault.New(fault.Unavailable,
		i18n.M("The connection to {{.URL}} was lost.", "URL", where), tryAgain).Because(err)
}

func untrusted(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

func certificateError(err error) string {
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return verify.Err.Error()
	}
	return err.Error()
}

func notTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError))
}

// KindOfStatus returns the kind of fault that corresponds to an HTTP status.
func KindOfStatus(status int) fault.Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusConflict:
		return fault.Conflict
	case status == http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case status == http.StatusTooManyRequests:
		return fault.Throttled
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return fault.Timeout
	case status >= 400 && status < 500:
		return fault.Invalid
	}
	return fault.Unavailable
}

// RemedyOfStatus returns the suggestion for a request that a compute service rejected with an HTTP status, if there is
// no more specific one. loginHint, unless it is zero, replaces the suggestion for missing permissions.
func RemedyOfStatus(status int, loginHint i18n.Message) i18n.Message {
	switch {
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && !loginHint.IsZero():
		return loginHint
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return i18n.M("Log in again with 'ibmcloud login', or check the API key in the Lithops configuration.")
	case status == http.StatusConflict:
		return i18n.M("Another process changed it at the same time. Rerun the command.")
	case status == http.StatusTooManyRequests:
		return i18n.M("Wait a minute, then rerun the command with a lower '--jobs' value.")
	case status >= 500:
		return i18n.M("The service has a problem. Try again later.")
	case status == http.StatusBadRequest:
		return i18n.M("Correct the values that the service reports, such as memory or a timeout above its limits.")
	}
	return i18n.M("Check the endpoint.")
}

// ParseEndpoint parses the URL of a compute service's endpoint.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, fault.New(fault.Invalid,
			i18n.M("The endpoint of the compute service is not a URL of the form https://HOST[:PORT]."),
			i18n.M("Correct the endpoint in the Lithops configuration."))
	}
	return u, nil
}
