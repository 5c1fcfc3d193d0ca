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

// The delay before a retry is random, between 0 and twice the interval ("full jitter"), and the interval doubles each
// time. maxTries limits the attempts. A throttled request (429) is retried until the deadline instead, because rate
// limits often apply per minute.
const (
	firstInterval = 200 * time.Millisecond
	maxInterval   = 8 * time.Second
	maxTries      = 6
)

// retry retries requests that are safe to retry. Requests are retried nowhere else, so that the limits hold. When it
// gives up, it returns the last response or error unchanged, or a fault if the budget is spent.
type retry struct {
	next     http.RoundTripper
	hosts    *hosts
	deadline time.Duration
	budget   *Budget // nil if there is none
	onRetry  func(host, reason string, wait time.Duration)
}

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := r.budget.check(req.URL); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req, err := replayable(req)
	if err != nil {
		return nil, err
	}
	a := &attempt{retry: r, req: req, start: time.Now(), limit: r.deadline}
	if left := r.budget.Left(); left < a.limit {
		a.limit, a.bounded = max(left, 1), true // 0 would mean no limit
	}
	defer a.end()
	resp, err := backoff.Retry(req.Context(), a.send,
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: firstInterval, RandomizationFactor: 1, Multiplier: 2, MaxInterval: maxInterval}),
		backoff.WithMaxElapsedTime(a.limit),
		backoff.WithNotify(a.wait))
	if err != nil {
		return a.giveUp(resp, err)
	}
	return resp, nil
}

// attempt is one request with its retries.
type attempt struct {
	*retry
	req          *http.Request
	start        time.Time
	limit        time.Duration // maximum time for all attempts
	bounded      bool          // limit is the rest of the budget
	sent         bool
	failures     int
	stopSpending func() // stops counting the time of the budget; nil before the first failure
}

// send sends the request once. Its error is a permanent error of package backoff or a *retryError.
func (a *attempt) send() (*http.Response, error) {
	out := a.req
	if a.sent {
		var err error
		if out, err = nextAttempt(a.req); err != nil {
			return nil, backoff.Permanent(err)
		}
	}
	a.sent = true
	ctx := a.req.Context()
	resp, err := a.next.RoundTrip(out)
	if ctx.Err() == nil {
		a.budget.record(hostPort(a.req.URL), resp)
	}
	reason, repeat := shouldRetry(a.req, callOf(ctx), resp, err)
	switch {
	case repeat && canReplay(a.req):
		return resp, a.fail(&retryError{reason: reason, cause: err, after: retryAfter(resp)})
	case err != nil:
		return nil, backoff.Permanent(err)
	}
	return resp, nil
}

// fail counts a failed attempt. The error of the last attempt is permanent.
func (a *attempt) fail(why *retryError) error {
	if a.stopSpending == nil {
		a.stopSpending = a.budget.Spend(a.start)
	}
	if a.failures++; a.failures >= maxTries && why.reason != statusReason(http.StatusTooManyRequests) {
		a.bounded = false
		return backoff.Permanent(why)
	}
	return why
}

// wait reports that the request will be retried after a delay.
func (a *attempt) wait(err error, wait time.Duration) {
	var why *retryError
	if !errors.As(err, &why) {
		return
	}
	a.hosts.slowDown(hostPort(a.req.URL), why.throttled(), wait)
	if a.onRetry != nil {
		a.onRetry(a.req.URL.Host, why.reason, wait)
	}
}

// giveUp returns the result of the last attempt.
func (a *attempt) giveUp(resp *http.Response, err error) (*http.Response, error) {
	ctx := a.req.Context()
	var why *retryError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !errors.As(err, &why):
		return nil, err
	case a.bounded && !why.waitsLongerThan(a.deadline):
		return nil, a.budget.fault(a.req, resp, why)
	case resp != nil:
		return resp, nil // the last response describes the problem
	}
	return nil, why.cause
}

func (a *attempt) end() {
	if a.stopSpending != nil {
		a.stopSpending()
	}
}

// retryError is the reason for a retry.
type retryError struct {
	reason string
	cause  error
	after  *backoff.RetryAfterError
}

func (e *retryError) Error() string { return e.reason }

func (e *retryError) Unwrap() error {
	if e.after == nil {
		return nil
	}
	return e.after
}

// waitsLongerThan reports whether the host asks to wait for longer than d.
func (e *retryError) waitsLongerThan(d time.Duration) bool {
	return e.after != nil && e.after.Duration > d
}

// throttled reports whether the host wants all requests to wait, not only this one.
func (e *retryError) throttled() bool {
	return e.after != nil || e.reason == statusReason(http.StatusTooManyRequests)
}

func statusReason(status int) string {
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
}

// shouldRetry reports whether a request may be retried after a response or an error, and the reason. RFC 9110 section
// 9.2.2 lists the idempotent methods.
func shouldRetry(req *http.Request, call Call, resp *http.Response, err error) (reason string, repeat bool) {
	safe := call.Repeatable
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		safe = true
	}
	if call.NoRetry {
		return "", false
	}
	if err != nil {
		return retryableError(req.Context(), err, safe)
	}
	reason = statusReason(resp.StatusCode)
	switch resp.StatusCode {
	case http.StatusTooEarly, http.StatusTooManyRequests: // rejected before anything was processed
		return reason, true
	case http.StatusServiceUnavailable: // same with Retry-After; without it, a gateway may have lost the response
		return reason, safe || resp.Header.Get("Retry-After") != ""
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return reason, safe
	case http.StatusConflict:
		return reason, call.IsRace != nil && call.IsRace(peek(resp))
	}
	return "", false
}

// peek reads the body of a response and leaves it readable. Bodies are in memory here.
func peek(resp *http.Response) []byte {
	data, _ := io.ReadAll(resp.Body)
	resp.Body = replayReader(data)
	return data
}

// retryAfter parses the Retry-After header: seconds or a date, RFC 9110 section 10.2.3. It ignores values that ask for
// an immediate retry, so that the usual backoff applies.
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
		now = date // the server wrote both with the same clock
	}
	if wait := at.Sub(now); wait > 0 {
		return &backoff.RetryAfterError{Duration: wait}
	}
	return nil
}
