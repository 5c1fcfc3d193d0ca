package transport

import (
	"net/http"
	"time"
)

// observe traces each request, and reports it to a function together with its result.
type observe struct {
	next      http.RoundTripper
	onRequest func(Exchange)
	trace     *tracer // nil if there is no trace
}

func (o *observe) RoundTrip(req *http.Request) (*http.Response, error) {
	if o.trace != nil {
		o.trace.request(req)
	}
	start := time.Now()
	resp, err := o.next.RoundTrip(req)
	took := time.Since(start)
	if o.trace != nil {
		o.trace.response(req, resp, err, took)
	}
	if o.onRequest != nil {
		x := Exchange{Method: req.Method, Host: req.URL.Host, Path: req.URL.Path, Err: err, Took: took}
		if resp != nil {
			x.Status = resp.StatusCode
		}
		o.onRequest(x)
	}
	return resp, err
}
