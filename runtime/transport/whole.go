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

// errStalled is why a request without progress is ended. It is a timeout by net.Error's rules.
var errStalled = stalled{}

type stalled struct{}

func (stalled) Error() string   { return "no progress within the time limit" }
func (stalled) Timeout() bool   { return true }
func (stalled) Temporary() bool { return true }

// whole sends a request and reads the answer to its end. A request that makes no progress for the timeout is ended,
// whatever it hangs in; an answer that is cut, too long or too slow is an error here, where it can still be repeated.
type whole struct {
	next     http.RoundTripper
	timeout  time.Duration // without progress
	bodyTime time.Duration // for the whole body of an answer
	maxBody  int64
}

func (w *whole) RoundTrip(req *http.Request) (*http.Response, error) {
	timeout := w.timeout
	if t := callOf(req.Context()).Timeout; t > 0 {
		timeout = t
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	dog := newWatchdog(timeout, func() { cancel(errStalled) })
	defer dog.stop()
	req = req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &progress{req.Body, dog}
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, because(ctx, err)
	}
	defer resp.Body.Close()
	if resp.ContentLength > w.maxBody && req.Method != http.MethodHead {
		return nil, w.tooLong(req)
	}
	slow := time.AfterFunc(w.bodyTime, func() { cancel(errStalled) })
	defer slow.Stop()
	dog.kick()
	data, err := io.ReadAll(io.LimitReader(&progress{resp.Body, dog}, w.maxBody+1))
	if err != nil {
		return nil, because(ctx, err)
	}
	if int64(len(data)) > w.maxBody {
		return nil, w.tooLong(req)
	}
	resp.Body = replayReader(data)
	return resp, nil
}

func (w *whole) tooLong(req *http.Request) error {
	return fault.New(fault.TooLarge,
		i18n.M("{{.URL}} returned more than {{.Size}} bytes.", "URL", place(req.URL), "Size", w.maxBody),
		i18n.M("Check the endpoint."))
}

// because prefers the reason why the context ended to what the connection says about it.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return errors.Join(cause, err)
	}
	return err
}

// watchdog calls a function when it has not been kicked for a while.
type watchdog struct {
	mu      sync.Mutex
	timer   *time.Timer
	every   time.Duration
	stopped bool
}

func newWatchdog(every time.Duration, bark func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(every, bark), every: every}
}

func (d *watchdog) kick() {
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

// progress kicks the watchdog with every read.
type progress struct {
	io.ReadCloser
	dog *watchdog
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if n > 0 {
		p.dog.kick()
	}
	return n, err
}
