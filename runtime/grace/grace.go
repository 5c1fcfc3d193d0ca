// Package grace records how long a command may still work after it was interrupted, for example to finish started
// writes or to undo failed ones. Such work has its own time limit, which the code that ends the process can read.
//
// It does not do the work itself.
package grace

import (
	"context"
	"sync/atomic"
	"time"
)

type key struct{}

// Tracker records how long the work of an interrupted command may still take.
type Tracker struct {
	end       atomic.Int64 // nanoseconds since 1970
	suspended atomic.Int64 // number of SuspendSignals calls in effect
}

// Track returns a context whose work after an interruption is recorded by the returned Tracker.
func Track(ctx context.Context) (context.Context, *Tracker) {
	w := &Tracker{}
	return context.WithValue(ctx, key{}, w), w
}

// Until returns the time at which all work must have ended. It returns the start of 1970 if no work was recorded.
func (w *Tracker) Until() time.Time { return time.Unix(0, w.end.Load()) }

// SignalsSuspended reports whether a child process currently handles the signals, so that they must not end this
// process.
func (w *Tracker) SignalsSuspended() bool { return w.suspended.Load() > 0 }

// SuspendSignals leaves all signals to a child process until resume is called. In the meantime they do not end this
// process.
func SuspendSignals(ctx context.Context) (resume func()) {
	w, ok := ctx.Value(key{}).(*Tracker)
	if !ok {
		return func() {}
	}
	w.suspended.Add(1)
	return func() { w.suspended.Add(-1) }
}

// Extend records that work may continue for d from now on, even if ctx ends.
func Extend(ctx context.Context, d time.Duration) {
	w, ok := ctx.Value(key{}).(*Tracker)
	for until := time.Now().Add(d).UnixNano(); ok; {
		old := w.end.Load()
		if old >= until || w.end.CompareAndSwap(old, until) {
			return
		}
	}
}

// Context returns a context for work of at most d. It does not end with ctx. The caller must call cancel when the work
// is done.
func Context(ctx context.Context, d time.Duration) (extended context.Context, cancel context.CancelFunc) {
	Extend(ctx, d)
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
