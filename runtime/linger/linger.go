// Package linger is for what a command still does after it was interrupted: bring to an end what was begun, take back
// what failed. Such work has a time of its own, and whoever ends the process can see how long it may take.
//
// What may go in: that time. What may not: what is done in it.
package linger

import (
	"context"
	"sync/atomic"
	"time"
)

type key struct{}

// Watch gives a context whose lingering work is watched; until tells the time at which the last of it has ended, the
// zero Unix time where there was none.
func Watch(ctx context.Context) (watched context.Context, until func() time.Time) {
	end := new(atomic.Int64)
	return context.WithValue(ctx, key{}, end), func() time.Time { return time.Unix(0, end.Load()) }
}

// Extend says that work may go on for d from now on, whatever becomes of ctx.
func Extend(ctx context.Context, d time.Duration) {
	end, ok := ctx.Value(key{}).(*atomic.Int64)
	for until := time.Now().Add(d).UnixNano(); ok; {
		was := end.Load()
		if was >= until || end.CompareAndSwap(was, until) {
			return
		}
	}
}

// Context gives a context for work of at most d, which does not end with ctx. The caller calls cancel when it is done.
func Context(ctx context.Context, d time.Duration) (lingering context.Context, cancel context.CancelFunc) {
	Extend(ctx, d)
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
