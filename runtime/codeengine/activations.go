package codeengine

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// ListActivations returns the runs of all jobs that were created at or after since, newest first. Each run is one
// activation, regardless of the size of its array. The service keeps neither results nor logs.
func (c *Compute) ListActivations(ctx context.Context, since time.Time, _ bool) iter.Seq2[entity.Activation, error] {
	return func(yield func(entity.Activation, error) bool) {
		runs, err := c.client.runs(ctx, "")
		if fault.Is(err, fault.NotFound) && fault.Is(c.client.find(ctx), fault.NotFound) {
			return
		}
		if err != nil {
			yield(entity.Activation{}, err)
			return
		}
		slices.SortStableFunc(runs, func(a, b runDoc) int { return b.CreatedAt.Compare(a.CreatedAt) })
		for _, r := range runs {
			if r.CreatedAt.Before(since) {
				return
			}
			a := c.activation(r)
			scale, _ := lithops.ParseJobSize(r.CPU, r.Memory)
			a.Runtime, a.MemoryMB = entity.ID{Name: r.JobName}, scale.MemoryMB
			// The IDs of the calls are unknown: only the payload, which also contains secrets, lists the calls of an
			// instance. Each instance runs at least one call.
			a.Cause = nil // applies to metadata runs only
			if reason := r.reason(); reason != "" {
				a.Result, _ = json.Marshal(map[string]string{"error": reason})
			}
			if job := lithops.JobOfRun(r.Name); job != "" {
				a.Work = &entity.Work{Job: job}
				if r.Details != nil {
					a.Work.Total = r.Details.Requested
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}
