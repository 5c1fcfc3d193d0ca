package runtime

import (
	"context"
	"errors"

	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
)

// feasible checks, before anything is changed, what only the services know of a plan that registers runtimes: that their
// memory and time are within the limits of the installation, and that images that are pinned have a tag for it.
func (s *Service) feasible(ctx context.Context, all []*plan.Deployment) error {
	work := []func(context.Context) error{}
	pinned := map[string]bool{}
	for _, d := range all {
		if !d.Registers() {
			continue
		}
		w := d.Want
		if len(work) == 0 {
			work = append(work, func(ctx context.Context) error { return s.within(ctx, all) })
		}
		if reference := w.Reference(); w.Pin && w.Digest != "" && !pinned[reference] {
			pinned[reference] = true
			work = append(work, func(ctx context.Context) error { return s.CheckPinned(ctx, w.Image, w.Digest) })
		}
	}
	return parallel.Run(ctx, work...)
}

func (s *Service) within(ctx context.Context, all []*plan.Deployment) error {
	limits := s.Limits(ctx)
	var wrong []error
	for _, d := range all {
		if d.Registers() {
			wrong = append(wrong, limits.CheckMemory(d.Want.MemoryMB), limits.CheckTimeout(d.Want.TimeoutS))
		}
	}
	return errors.Join(wrong...)
}
