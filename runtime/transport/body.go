package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// errStalled is the reason for canceling a request without progress. It is a timeout in the sense of net.Error.
var errStalled = stalled{}

type stalled struct{}

func (stalled) Error() string   { return "no progress within the time limit" }
func (stalled) Timeout() bool   { return true }
func (stalled) Temporary() bool { return true }

// readBody sends a request and reads the whole response body. It cancels a request that makes no progress for the
// timeout, in any phase. A body that is truncated, too long or too slow causes an error here, inside the retries.
type readBody struct {
	next     http.RoundTripper
	timeout  time.Duration // without progress
	bodyTime time.Duration // for a whole response body
	maxBody  int64
}

func (w *readBody) RoundTrip(req *http.Request) (*http.Response, error) {
	timeout := w.timeout
	if t := callOf(req.Context()).Timeout; t > 0 {
		timeout = t
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	watchdog := newWatchdog(timeout, func() { cancel(errStalled) })
	defer watchdog.stop()
	req = req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &progress{req.Body, watchdog}
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, withCause(ctx, err)
	}
	defer resp.Body.Close()
	if resp.ContentLength > w.maxBody && req.Method != http.MethodHead {
		return nil, w.tooLong(req)
	}
	slow := time.AfterFunc(w.bodyTime, func() { cancel(errStalled) })
	defer slow.Stop()
	watchdog.reset()
	data, err := io.ReadAll(io.LimitReader(&progress{resp.Body, watchdog}, w.maxBody+1))
	if err != nil {
		return nil, withCause(ctx, err)
	}
	if int64(len(data)) > w.maxBody {
		return nil, w.tooLong(req)
	}
	resp.Body = replayReader(data)
	return resp, nil
}

func (w *readBody) tooLong(req *http.Request) error {
	return fault.New(fault.TooLarge,
		i18n.M("{{.URL}} returned more than {{.Size}} bytes.", "URL", baseURL(req.URL), "Size", w.maxBody),
		i18n.M("Check the endpoint."))
}

// withCause adds the reason why the context ended to the error of the connection.
func withCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return errors.Join(cause, err)
	}
	return err
}

// watchdog calls a function if it is not reset for a given time.
type watchdog struct {
	mu      sync.Mutex
	timer   *time.Timer
	every   time.Duration
	stopped bool
}

func newWatchdog(every time.Duration, onTimeout func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(every, onTimeout), every: every}
}

func (d *watchdog) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopped {
		d.timer.Reset(d.every)
	}
}

func (d *watchdog) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	d.timer.Stop()
}

// progress resets the watchdog with every read.
type progress struct {
	io.ReadCloser
	watchdog *watchdog
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if n > 0 {
		p.watchdog.reset()
	}
	return n, err
}
