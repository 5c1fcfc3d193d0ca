package transport

import (
	"context"
	"net/http"
	"time"
)

// Call holds properties of one request that are not visible in the request itself. It is passed in the context.
type Call struct {
	// Repeatable marks a POST or PATCH request as safe to process twice.
	Repeatable bool
	// IsRace reports whether a 409 response with this body only means that a concurrent request was faster, so that the
	// same request can be retried. If it is nil, no 409 is retried.
	IsRace func(body []byte) bool
	// NoRetry disables retries: the first response or error is the result.
	NoRetry bool
	// Timeout overrides Options.Timeout. A blocking invocation waits longer for its response than any other request.
	Timeout time.Duration
}

type callKey struct{}

// With returns a context that carries the properties of a call.
func With(ctx context.Context, c Call) context.Context { return context.WithValue(ctx, callKey{}, c) }

func callOf(ctx context.Context) Call {
	c, _ := ctx.Value(callKey{}).(Call)
	return c
}

// Client returns an http.Client that sends requests through rt and follows no redirects. None of the APIs here needs
// redirects, and a redirect can send credentials to the wrong host.
func Client(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
