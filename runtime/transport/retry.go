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
	a := &attempt{retry: r, req: req, start: time.Now(), limit: r.deadline}
	if left := r.budget.Left(); left < a.limit {
		a.limit, a.bounded = max(left, 1), true // 0 would be no limit
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

// attempt is one request with its repetitions.
type attempt struct {
	*retry
	req      *http.Request
	start    time.Time
	limit    time.Duration // of all repetitions
	bounded  bool          // limit is what remains of the budget
	sent     bool
	failures int
	spent    func() // ends the counting of the budget; nil before the first failure
}

// send sends the request once. Its error is backoff's permanent one, or a repeatable.
func (a *attempt) send() (*http.Response, error) {
	out := a.req
	if a.sent {
		var err error
		if out, err = again(a.req); err != nil {
			return nil, backoff.Permanent(err)
		}
	}
	a.sent = true
	ctx := a.req.Context()
	resp, err := a.next.RoundTrip(out)
	if ctx.Err() == nil {
		a.budget.heard(hostPort(a.req.URL), resp)
	}
	reason, repeat := verdict(a.req, callOf(ctx), resp, err)
	switch {
	case repeat && canReplay(a.req):
		return resp, a.fail(&repeatable{reason: reason, cause: err, after: retryAfter(resp)})
	case err != nil:
		return nil, backoff.Permanent(err)
	}
	return resp, nil
}

// fail counts a failure. The last one is permanent.
func (a *attempt) fail(why *repeatable) error {
	if a.spent == nil {
		a.spent = a.budget.Spend(a.start)
	}
	if a.failures++; a.failures >= maxTries && why.reason != statusReason(http.StatusTooManyRequests) {
		a.bounded = false
		return backoff.Permanent(why)
	}
	return why
}

// wait says that the request is repeated after a time.
func (a *attempt) wait(err error, wait time.Duration) {
	var why *repeatable
	if !errors.As(err, &why) {
		return
	}
	a.hosts.slowDown(hostPort(a.req.URL), why.throttled(), wait)
	if a.onRetry != nil {
		a.onRetry(a.req.URL.Host, why.reason, wait)
	}
}

// giveUp returns what the last sending came to.
func (a *attempt) giveUp(resp *http.Response, err error) (*http.Response, error) {
	ctx := a.req.Context()
	var why *repeatable
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !errors.As(err, &why):
		return nil, err
	case a.bounded && !why.asksFor(a.deadline):
		return nil, a.budget.fault(a.req, resp, why)
	case resp != nil:
		return resp, nil // the last answer says what is wrong
	}
	return nil, why.cause
}

func (a *attempt) end() {
	if a.spent != nil {
		a.spent()
	}
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

// asksFor reports whether a host wants to be left alone for longer than a time.
func (e *repeatable) asksFor(d time.Duration) bool { return e.after != nil && e.after.Duration > d }

// throttled reports whether the host wants everybody to wait, not only this request.
func (e *repeatable) throttled() bool {
	return e.after != nil || e.reason == statusReason(http.StatusTooManyRequests)
}

func statusReason(status int) string {
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
}

// verdict reports whether a request may be sent again after what happened, and why. RFC 9110 section 9.2.2 has the
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
