// Package parallel does things side by side: bounded, ended before it returns, and slower where a server throttles.
//
// What may go in: how work is spread and how it ends when a command is interrupted. What may not: what the work is.
package parallel

import (
	"context"
	"sync"
	"time"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
)

// defaultJobs is how many calls run at the same time unless a group is given another limit. With 50 ms a request the
// gain flattens beyond it, and it stays below the 30 concurrent activations that OpenWhisk grants by default.
const defaultJobs = 24

// Group is the one place where operations do things side by side. It bounds how many, lowers the bound when the server
// throttles, and stops starting work when the context ends while what runs may finish. It repeats nothing: that is the
// transport's, whose bounds would not hold otherwise.
type Group struct {
	mu      sync.Mutex
	free    *sync.Cond
	limit   int
	running int
}

// NewGroup returns a group that does at most limit things at the same time; 0 chooses.
func NewGroup(limit int) *Group {
	if limit <= 0 {
		limit = defaultJobs
	}
	g := &Group{limit: limit}
	g.free = sync.NewCond(&g.mu)
	return g
}

// enter waits for a place; false means that the context ended first.
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

// Each applies work to every item and gives results and errors in the order of the items. Work that was not started
// because the context ended has the context's error. A panic of work goes on in the caller: nobody may overlook it.
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

// Run runs a few different pieces of work side by side and gives the first error in their order; all of them
// have ended when it returns.
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

// FirstError returns the first error there is.
func FirstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// WithGracePeriod returns a context that ends grace after ctx does, with its cause.
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

// writeTime is how long such a write is given when the command is interrupted meanwhile.
const writeTime = 30 * time.Second

// Uninterrupted returns a context for a write that should not be torn by an interruption: it has the values of ctx, but ends
// only with the transport's own time limits. Nothing starts under it when ctx has ended already.
func Uninterrupted(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	grace.Extend(ctx, writeTime)
	return context.WithoutCancel(ctx), nil
}

// Sleep pauses for d. Where ctx ends first, it returns the cause.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
