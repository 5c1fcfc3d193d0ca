package runtimetest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"fn-runtime/runtime/entity"
)

// SetActivation adds or updates an activation that another client started.
func (c *Compute) SetActivation(run entity.Activation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.call(run.ID); old != nil {
		*old = run
		return
	}
	c.calls = append(c.calls, run)
}

// ListActivations implements site.Caller.
func (c *Compute) ListActivations(ctx context.Context, since time.Time, withLogs bool) iter.Seq2[entity.Activation, error] {
	return func(yield func(entity.Activation, error) bool) {
		var found []entity.Activation
		err := c.do(ctx, fmt.Sprintf("LIST calls withLogs=%v", withLogs), func() error {
			for _, run := range c.calls {
				if run.Start.Before(since) {
					continue
				}
				if !withLogs {
					run.Logs, run.Result = nil, nil
				}
				found = append(found, run)
			}
			return nil
		})
		slices.SortStableFunc(found, func(a, b entity.Activation) int { return b.Start.Compare(a.Start) })
		if err != nil {
			yield(entity.Activation{}, err)
			return
		}
		for _, run := range found {
			if !yield(run, nil) {
				return
			}
		}
	}
}
