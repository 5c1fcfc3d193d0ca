// Package grace is for what a command still does after it was interrupted: bring to an end what was begun, take back
// what failed. Such work has a time of its own, and whoever ends the process can see how long it may take.
//
// What may go in: that time. What may not: what is done in it.
package grace

import (
	"context"
	"sync/atomic"
	"time"
)

type key struct{}

// Work is what a command does after it was interrupted, as whoever ends the process sees it.
type Tracker struct {
	end       atomic.Int64 // nanoseconds since 1970
	suspended atomic.Int64 // how many have the signals lent to them
}

// Track returns a context whose lingering work is watched.
func Track(ctx context.Context) (context.Context, *Tracker) {
	w := &Tracker{}
	return context.WithValue(ctx, key{}, w), w
}

// Until tells the time at which the last of the work has ended, the zero Unix time where there was none.
func (w *Tracker) Until() time.Time { return time.Unix(0, w.end.Load()) }

// SignalsSuspended reports whether signals are a child's at the moment, and no reason to end the process.
func (w *Tracker) SignalsSuspended() bool { return w.suspended.Load() > 0 }

// SuspendSignals leaves all signals to a child process, whose end is then that of the command, until back is called.
func SuspendSignals(ctx context.Context) (resume func()) {
	w, ok := ctx.Value(key{}).(*Tracker)
	if !ok {
		return func() {}
	}
	w.suspended.Add(1)
	return func() { w.suspended.Add(-1) }
}

// Extend says that work may go on for d from now on, whatever becomes of ctx.
func Extend(ctx context.Context, d time.Duration) {
	w, ok := ctx.Value(key{}).(*Tracker)
	for until := time.Now().Add(d).UnixNano(); ok; {
		was := w.end.Load()
		if was >= until || w.end.CompareAndSwap(was, until) {
			return
		}
	}
}

// Context returns a context for work of at most d, which does not end with ctx. The caller calls cancel when it is done.
func Context(ctx context.Context, d time.Duration) (lingering context.Context, cancel context.CancelFunc) {
	Extend(ctx, d)
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
