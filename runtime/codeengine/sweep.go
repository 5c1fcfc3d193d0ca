package codeengine

import (
	"context"
	"strings"
	"time"

	"fn-runtime/runtime/fault"
)

// How old something of a run for metadata must be before it is taken for left behind: where there is no run of its name,
// because one is made a moment later; and where that still runs.
const (
	youngMap   = 2 * time.Minute
	oldestCall = time.Hour
)

// sweep removes, once and beside the first call, what runs for metadata have left that were killed: their config maps hold
// keys. The function returned waits for it.
func (c *Compute) sweep(ctx context.Context) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = fault.Try(func() error { return c.swept.do(func() error { return c.sweepOnce(ctx) }) })
	}()
	return func() { <-done }
}

func (c *Compute) sweepOnce(ctx context.Context) error {
	maps, err := c.client.configMaps(ctx)
	if err != nil {
		return err
	}
	for _, m := range maps {
		c.mu.Lock()
		own := c.own[m.Name]
		c.mu.Unlock()
		if own || !strings.HasPrefix(m.Name, metaPrefix) {
			continue
		}
		run, err := c.client.getRun(ctx, m.Name)
		age, done := time.Since(m.CreatedAt), false
		switch {
		case err == nil:
			done, _ = run.ended()
			done = done || age > oldestCall
		case fault.Is(err, fault.NotFound):
			done = age > youngMap
		default:
			return err
		}
		if !done {
			continue
		}
		if err := c.clear(ctx, m.Name); err != nil {
			return err
		}
	}
	return nil
}
