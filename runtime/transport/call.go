package transport

import (
	"context"
	"net/http"
	"time"
)

// Call is what the caller knows about one request and the transport cannot see in it. It travels in the context.
type Call struct {
	// Repeatable says that the request may be processed twice although its method is POST or PATCH.
	Repeatable bool
	// Races tells from the body of a 409 whether it only means that somebody else was faster, so that the same
	// request will do. Nil: no 409 is repeated.
	Races func(body []byte) bool
	// Once says that nobody waits for a repetition: the first answer or failure is the result.
	Once bool
	// Timeout replaces Options.Timeout: a blocking invocation is silent for longer than anything else.
	Timeout time.Duration
}

type callKey struct{}

// With adds what is known about a call to a context.
func With(ctx context.Context, c Call) context.Context { return context.WithValue(ctx, callKey{}, c) }

func callOf(ctx context.Context) Call {
	c, _ := ctx.Value(callKey{}).(Call)
	return c
}

// Client returns an http.Client that sends through rt and follows no redirect: none of the APIs here needs one, and a
// redirect is how credentials get to where they should not.
func Client(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
