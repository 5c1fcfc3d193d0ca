// Package parallel runs functions concurrently. It limits how many run at the same time, waits for all of them before
// it returns, and slows down if a server throttles.
//
// It defines how work is distributed and how it ends when a command is interrupted. It does not define the work.
package parallel

import (
	"context"
	"sync"
	"time"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
)

// defaultJobs is the default number of concurrent calls. With requests of 50 ms, more calls gain little, and the number
// stays below the 30 concurrent activations that OpenWhisk allows by default.
const defaultJobs = 24

// Group limits the number of concurrent calls of an operation. It lowers the limit if the server throttles. When the
// context ends, it starts no new work but lets running work finish. It does not retry: only the transport retries,
// otherwise its retry limits would not hold.
type Group struct {
	mu      sync.Mutex
	free    *sync.Cond
	limit   int
	running int
}

// NewGroup returns a group that runs at most limit calls concurrently. A limit of 0 selects the default.
func NewGroup(limit int) *Group {
	if limit <= 0 {
		limit = defaultJobs
	}
	g := &Group{limit: limit}
	g.free = sync.NewCond(&g.mu)
	return g
}

// acquire waits for a free slot. It returns false if the context ends first.
func (g *Group) acquire(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.running >= g.limit && ctx.Err() == nil {
		g.free.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	g.running++
	return true
}

func (g *Group) release(throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if throttled && g.limit > 1 {
		g.limit /= 2
	}
	g.free.Broadcast()
}

// Each applies work to every item and returns results and errors in the order of the items. If the context ends before
// an item is started, the error of the item is the cause of the context. A panic in work is repeated in the caller so
// that it is not lost.
func Each[T, R any](ctx context.Context, g *Group, items []T, work func(context.Context, T) (R, error)) ([]R, []error) {
	results := make([]R, len(items))
	errs, panics := make([]error, len(items)), make([]error, len(items))
	var wg sync.WaitGroup
	for i := range items {
		if !g.acquire(ctx) {
			errs[i] = context.Cause(ctx)
			continue
		}
		wg.Go(func() {
			panics[i] = fault.Try(func() error { results[i], errs[i] = work(ctx, items[i]); return nil })
			g.release(fault.Is(errs[i], fault.Throttled))
		})
	}
	wg.Wait()
	fault.Repanic(panics...)
	return results, errs
}

// Run runs functions concurrently and waits for all of them. It returns the first error in the order of the functions.
func Run(ctx context.Context, work ...func(context.Context) error) error {
	errs, panics := make([]error, len(work)), make([]error, len(work))
	var wg sync.WaitGroup
	for i, w := range work {
		wg.Go(func() { panics[i] = fault.Try(func() error { errs[i] = w(ctx); return nil }) })
	}
	wg.Wait()
	fault.Repanic(panics...)
	return FirstError(errs)
}

// FirstError returns the first error that is not nil.
func FirstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// WithGracePeriod returns a context that ends with the cause of ctx, delay after ctx ends.
func WithGracePeriod(ctx context.Context, delay time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		grace.Extend(ctx, delay)
		wait := time.NewTimer(delay)
		defer wait.Stop()
		select {
		case <-wait.C:
			cancel(context.Cause(ctx))
		case <-longer.Done():
		}
	})
	return longer, func() {
		unhook()
		cancel(nil)
	}
}

// writeTime is how long a write that Uninterrupted protects may continue after the command was interrupted.
const writeTime = 30 * time.Second

// Uninterrupted returns a context for a write that an interruption must not abort. The context has the values of ctx
// but never ends, so only the time limits of the transport apply. Uninterrupted returns an error if ctx has already
// ended, so that no write starts after an interruption.
func Uninterrupted(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	grace.Extend(ctx, writeTime)
	return context.WithoutCancel(ctx), nil
}

// Sleep pauses for d. If ctx ends first, it returns the cause.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
