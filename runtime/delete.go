package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Delete deletes runtimes, and metadata whose runtime no longer exists.
func (s *Service) Delete(ctx context.Context, req DeleteRequest) (Result, error) {
	op := i18n.M("Deleting runtime {{.Name}} in {{.Place}}", "Name", req.Name, "Place", s.Scope())
	if req.Name == AllName {
		op = i18n.M("Deleting all runtimes in {{.Place}}", "Place", s.Scope())
	}
	sel, err := s.Selector(req.Name, req.MemoryMB, req.LithopsVersion)
	if err != nil {
		return Result{}, err
	}
	return during(s, op, func() (Result, error) { return s.delete(ctx, sel, req) })
}

func (s *Service) delete(ctx context.Context, sel site.Selector, req DeleteRequest) (Result, error) {
	inv, err := s.Inventory(ctx)
	if err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	toDelete := sel.Pick(inv)
	if len(toDelete) == 0 && req.Name != AllName {
		return Result{DryRun: req.DryRun}, sel.NothingToDelete(inv)
	}
	p := plan.New(&s.Site, lithops.Bundle{})
	p.Remove(inv, toDelete, i18n.Message{})
	if len(toDelete) > 0 && !req.DryRun {
		err = p.Run(ctx, s.consent(p, req.Confirm))
	}
	return s.result(p, req.DryRun), err
}
