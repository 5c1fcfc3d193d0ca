package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The rhythm of repetitions: a random wait between 0 and twice the interval ("full jitter"), which doubles each time.
// maxTries counts what failed; a host that only asks to wait (429) is asked again until the deadline, because its limits
// are often per minute.
const (
	firstInterval = 200 * time.Millisecond
	maxInterval   = 8 * time.Second
	maxTries      = 6
)

// retry repeats a request that is safe to repeat. This is the only place where requests are repeated, so that the bounds
// hold. When it gives up, the last answer or error goes up as it is, or a fault that says that the budget is spent.
type retry struct {
	next     http.RoundTripper
	hosts    *hosts
	deadline time.Duration
	budget   *Budget // nil: none
	onRetry  func(host, reason string, wait time.Duration)
}

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, call, host := req.Context(), callOf(req.Context()), hostPort(req.URL)
	if err := r.budget.mayAsk(req.URL); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req, err := replayable(req)
	if err != nil {
		return nil, err
	}
	first, failures, start, done := true, 0, time.Now(), func() {}
	defer func() { done() }()
	limit, bounded := r.deadline, false // bounded: by the budget
	if left := r.budget.Left(); left < limit {
		limit, bounded = max(left, 1), true // 0 would be no limit
	}
	send := func() (*http.Response, error) {
		out := req
		if !first {
			if out, err = again(req); err != nil {
				return nil, backoff.Permanent(err)
			}
		}
		first = false
		resp, err := r.next.RoundTrip(out)
		if ctx.Err() == nil {
			r.budget.heard(host, resp)
		}
		reason, repeat := verdict(req, call, resp, err)
		if !repeat || !canReplay(req) {
			if err != nil {
				return nil, backoff.Permanent(err)
			}
			return resp, nil
		}
		if failures == 0 {
			done()
			done = r.budget.Spend(start)
		}
		why := &repeatable{reason: reason, cause: err, after: retryAfter(resp)}
		if failures++; failures >= maxTries && reason != statusReason(http.StatusTooManyRequests) {
			bounded = false
			return resp, backoff.Permanent(why)
		}
		return resp, why
	}
	resp, err := backoff.Retry(ctx, send,
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: firstInterval, RandomizationFactor: 1, Multiplier: 2, MaxInterval: maxInterval}),
		backoff.WithMaxElapsedTime(limit),
		backoff.WithNotify(func(err error, wait time.Duration) {
			var why *repeatable
			if errors.As(err, &why) {
				r.hosts.slowDown(host, why.throttled(), wait)
				if r.onRetry != nil {
					r.onRetry(req.URL.Host, why.reason, wait)
				}
			}
		}))
	var why *repeatable
	switch {
	case err == nil:
		return resp, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &why) && bounded && !why.asksFor(r.deadline):
		return nil, r.budget.fault(req, resp, why)
	case errors.As(err, &why) && resp != nil:
		return resp, nil // the last answer says what is wrong
	case errors.As(err, &why):
		return nil, why.cause
	}
	return nil, err
}

// repeatable is the reason for a repetition.
type repeatable struct {
	reason string
	cause  error
	after  *backoff.RetryAfterError
}

func (e *repeatable) Error() string { return e.reason }

func (e *repeatable) Unwrap() error {
	if e.after == nil {
		return nil
	}
	return e.after
}

// asksFor tells whether a host wants to be left alone for longer than a time.
func (e *repeatable) asksFor(d time.Duration) bool { return e.after != nil && e.after.Duration > d }

// throttled tells whether the host wants everybody to wait, not only this request.
func (e *repeatable) throttled() bool {
	return e.after != nil || e.reason == statusReason(http.StatusTooManyRequests)
}

func statusReason(status int) string {
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
}

// verdict tells whether a request may be sent again after what happened, and why. RFC 9110 section 9.2.2 has the
// methods that may be processed twice.
func verdict(req *http.Request, call Call, resp *http.Response, err error) (reason string, repeat bool) {
	safe := call.Repeatable
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		safe = true
	}
	if call.Once {
		return "", false
	}
	if err != nil {
		return errorVerdict(req.Context(), err, safe)
	}
	reason = statusReason(resp.StatusCode)
	switch resp.StatusCode {
	case http.StatusTooEarly, http.StatusTooManyRequests: // refused before anything was done
		return reason, true
	case http.StatusServiceUnavailable: // with Retry-After the same; without, a gateway may have lost the answer
		return reason, safe || resp.Header.Get("Retry-After") != ""
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return reason, safe
	case http.StatusConflict:
		return reason, call.Races != nil && call.Races(peek(resp))
	}
	return "", false
}

// peek reads the body of an answer and leaves it readable. Bodies are in memory here.
func peek(resp *http.Response) []byte {
	data, _ := io.ReadAll(resp.Body)
	resp.Body = replayReader(data)
	return data
}

// retryAfter reads the header of that name: seconds or a date, RFC 9110 section 10.2.3. "At once" is not taken: what
// failed waits as if nothing had been said.
func retryAfter(resp *http.Response) *backoff.RetryAfterError {
	if resp == nil {
		return nil
	}
	text := resp.Header.Get("Retry-After")
	if text == "" {
		return nil
	}
	if s, err := strconv.ParseUint(text, 10, 31); err == nil && s > 0 {
		return &backoff.RetryAfterError{Duration: time.Duration(s) * time.Second}
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return nil
	}
	now := time.Now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date // the server's clock wrote both
	}
	if wait := at.Sub(now); wait > 0 {
		return &backoff.RetryAfterError{Duration: wait}
	}
	return nil
}
