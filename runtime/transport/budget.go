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

// DefaultBudget is how long a command repeats requests altogether, where nobody says otherwise.
const DefaultBudget = 2 * time.Minute

// Budget is the time that one command may spend on requests that fail, however many there are: all its transports share
// it. What counts is the time in which at least one request is being repeated, from its first sending on; requests that
// fail side by side use it up once. When it is spent nothing is repeated any more, and a host that was not heard of last
// is not asked again. A nil Budget has no end.
type Budget struct {
	mu       sync.Mutex
	total    time.Duration
	spent    time.Duration
	troubled int       // requests that are being repeated
	since    time.Time // from when on the present trouble counts
	until    time.Time // up to when time has been counted
	silent   map[string]bool
}

// NewBudget makes a budget; 0 and less is DefaultBudget.
func NewBudget(total time.Duration) *Budget {
	if total <= 0 {
		total = DefaultBudget
	}
	return &Budget{total: total, silent: map[string]bool{}}
}

// crumb is what is too little to wait in: it counts as nothing.
const crumb = time.Second

// Left is what remains, never less than 0.
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
	if b.troubled > 0 {
		spent += now.Sub(b.since)
	}
	if left := b.total - spent; left >= crumb {
		return left
	}
	return 0
}

// Spend counts the time from start until the function returned is called.
func (b *Budget) Spend(start time.Time) (done func()) {
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.After(start) {
		start = b.until // counted already
	}
	if b.troubled == 0 || start.Before(b.since) {
		b.since = start
	}
	b.troubled++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.troubled--; b.troubled == 0 {
			b.until = time.Now()
			b.spent += b.until.Sub(b.since)
		}
	}
}

// heard notes whether a host answered, itself and not a gateway in its place.
func (b *Budget) heard(host string, resp *http.Response) {
	if b == nil {
		return
	}
	silent := resp == nil
	if resp != nil {
		switch resp.StatusCode {
		case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			silent = true
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent[host] = silent
}

// mayAsk refuses requests to a host that was silent last, once the budget is spent.
func (b *Budget) mayAsk(u *url.URL) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.silent[hostPort(u)] || b.left(time.Now()) > 0 {
		return nil
	}
	return fault.New(fault.Unavailable,
		i18n.M("No more requests are sent to {{.URL}}: it did not respond, and this command has retried requests for a total of {{.Time}}.",
			"URL", place(u), "Time", b.total), spentRemedy())
}

// fault is for a request that is not repeated because the budget is spent. Of an answer its status remains.
func (b *Budget) fault(req *http.Request, resp *http.Response, why *repeatable) error {
	if proxy, away := proxyAway(req, why.cause); away { // the service is not to blame
		return proxyGone(proxy, why)
	}
	if errors.Is(why.cause, errHostAway) { // which names the proxy, too
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
			"URL", place(req.URL), "Reason", why.reason, "Time", b.total), spentRemedy()).Because(why)
}

// spentRemedy is what to do when a command has spent its budget.
func spentRemedy() i18n.Message {
	return i18n.M("Check the status of the service. When it responds, rerun the command; it resumes where it stopped. To retry longer, set FN_RUNTIME_RETRY_SECONDS.")
}
