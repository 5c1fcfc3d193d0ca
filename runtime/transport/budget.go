package transport

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// DefaultBudget is the total time that a command spends on retries unless another limit is set.
const DefaultBudget = 2 * time.Minute

// Budget limits the total time that one command spends on failing requests. All transports of the command share it.
// Time counts while at least one request is being retried, starting with its first attempt. The time of requests that
// fail concurrently counts once. When the budget is spent, nothing is retried, and no request is sent to a host that
// did not respond last time. A nil Budget is unlimited.
type Budget struct {
	mu           sync.Mutex
	total        time.Duration
	spent        time.Duration
	retrying     int       // number of requests that are being retried
	since        time.Time // start of the current period of retries
	until        time.Time // end of the last period of retries
	unresponsive map[string]bool
}

// NewBudget returns a budget of total, or of DefaultBudget if total is not positive.
func NewBudget(total time.Duration) *Budget {
	if total <= 0 {
		total = DefaultBudget
	}
	return &Budget{total: total, unresponsive: map[string]bool{}}
}

// minLeft is the shortest remaining time that is worth using. A shorter one counts as 0.
const minLeft = time.Second

// Left returns the remaining time, which is never negative.
func (b *Budget) Left() time.Duration {
	if b == nil {
		return time.Duration(1<<63 - 1)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left(time.Now())
}

func (b *Budget) left(now time.Time) time.Duration {
	spent := b.spent
	if b.retrying > 0 {
		spent += now.Sub(b.since)
	}
	if left := b.total - spent; left >= minLeft {
		return left
	}
	return 0
}

// Spend counts the time from start until the returned function is called.
func (b *Budget) Spend(start time.Time) (done func()) {
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.After(start) {
		start = b.until // the time before is included in spent
	}
	if b.retrying == 0 || start.Before(b.since) {
		b.since = start
	}
	b.retrying++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.retrying--; b.retrying == 0 {
			b.until = time.Now()
			b.spent += b.until.Sub(b.since)
		}
	}
}

// record notes whether a host responded. Errors of a gateway in front of it do not count as responses.
func (b *Budget) record(host string, resp *http.Response) {
	if b == nil {
		return
	}
	unresponsive := resp == nil
	if resp != nil {
		switch resp.StatusCode {
		case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			unresponsive = true
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unresponsive[host] = unresponsive
}

// check returns an error if the budget is spent and the host did not respond last time.
func (b *Budget) check(u *url.URL) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.unresponsive[hostPort(u)] || b.left(time.Now()) > 0 {
		return nil
	}
	return fault.New(fault.Unavailable,
		i18n.M("No more requests are sent to {{.URL}}: it did not respond, and this command has retried requests for a total of {{.Time}}.",
			"URL", baseURL(u), "Time", b.total), spentRemedy())
}

// fault returns the error for a request that is not retried because the budget is spent. If there was a response, its
// status determines the kind.
func (b *Budget) fault(req *http.Request, resp *http.Response, why *retryError) error {
	if proxy, failed := failedProxy(req, why.cause); failed { // the service is not to blame
		return unreachableProxy(proxy, why)
	}
	if errors.Is(why.cause, errHostUnreachable) { // this error names the proxy, too
		return why.cause
	}
	kind := fault.Unavailable
	switch {
	case resp != nil:
		kind = KindOfStatus(resp.StatusCode)
		resp.Body.Close()
	case errors.As(why.cause, new(stalled)):
		kind = fault.Timeout
	}
	return fault.New(kind,
		i18n.M("Requests to {{.URL}} still fail ({{.Reason}}), and this command has retried requests for a total of {{.Time}}.",
			"URL", baseURL(req.URL), "Reason", why.reason, "Time", b.total), spentRemedy()).Because(why)
}

// spentRemedy returns the suggestion for a command that has spent its budget.
func spentRemedy() i18n.Message {
	return i18n.M("Check the status of the service. When it responds, rerun the command; it resumes where it stopped. To retry longer, set FN_RUNTIME_RETRY_SECONDS.")
}
