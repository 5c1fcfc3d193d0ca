package runtime

import (
	"context"
	"errors"

	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
)

// checkFeasible checks a plan against the services before anything is changed: memory sizes and timeouts must be within
// the limits of the installation, and pinned images must have a fixed tag.
func (s *Service) checkFeasible(ctx context.Context, all []*plan.Deployment) error {
	work := []func(context.Context) error{}
	pinned := map[string]bool{}
	for _, d := range all {
		if !d.Registers() {
			continue
		}
		w := d.Want
		if len(work) == 0 {
			work = append(work, func(ctx context.Context) error { return s.checkLimits(ctx, all) })
		}
		if reference := w.Reference(); w.Pin && w.Digest != "" && !pinned[reference] {
			pinned[reference] = true
			work = append(work, func(ctx context.Context) error { return s.CheckPinned(ctx, w.Image, w.Digest) })
		}
	}
	return parallel.Run(ctx, work...)
}

func (s *Service) checkLimits(ctx context.Context, all []*plan.Deployment) error {
	limits := s.Limits(ctx)
	var wrong []error
	for _, d := range all {
		if d.Registers() {
			wrong = append(wrong, limits.CheckMemory(d.Want.MemoryMB), limits.CheckTimeout(d.Want.TimeoutS))
		}
	}
	return errors.Join(wrong...)
}
