package transport

import (
	"mime"
	"net/http"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// webPage detects the HTML page of a gateway, a proxy or a login portal instead of an API's response. It is outside
// retry in the chain, so that a gateway's 503 is retried before it is reported. No object that this program reads is
// HTML.
type webPage struct{ next http.RoundTripper }

func (w *webPage) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil || !isHTML(resp.Header) || resp.StatusCode/100 == 3 { // guard handles redirects
		return resp, err
	}
	resp.Body.Close()
	kind := KindOfStatus(resp.StatusCode)
	if kind == fault.TooLarge {
		return nil, fault.New(kind,
			i18n.M("A gateway in front of {{.URL}} rejects requests as large as this one ({{.Size}} bytes).", "URL", baseURL(req.URL), "Size", req.ContentLength),
			i18n.M("Configure the gateway to accept 50 MB ('client_max_body_size' in nginx), or connect to the service without it."))
	}
	switch kind {
	case fault.Denied, fault.Throttled, fault.Timeout:
	default: // a gateway's 404 does not mean that the API's object is missing
		kind = fault.Unavailable
	}
	return nil, fault.New(kind,
		i18n.M("{{.URL}} returned a web page (HTTP status {{.Status}}) instead of an API response.",
			"URL", baseURL(req.URL), "Status", resp.StatusCode),
		i18n.M("Check the endpoint and any proxy or gateway in front of it, then retry."))
}

func isHTML(h http.Header) bool {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (t == "text/html" || t == "application/xhtml+xml")
}
