package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Rollback registers runtimes with their previous image, pinned to its digest. The registry must have that image under
// its fixed tag. A second rollback undoes the first one.
func (s *Service) Rollback(ctx context.Context, req RollbackRequest) (Result, error) {
	sel, err := s.Selector(req.Name, req.MemoryMB, s.Contract.Version)
	if err != nil {
		return Result{}, err
	}
	op := i18n.M("Rolling back runtime {{.Name}} in {{.Place}}", "Name", req.Name, "Place", s.Scope())
	return during(s, op, func() (Result, error) { return s.rollback(ctx, sel, req) })
}

func (s *Service) rollback(ctx context.Context, sel site.Selector, req RollbackRequest) (Result, error) {
	none := Result{DryRun: req.DryRun}
	inv, bundle, err := s.readState(ctx, true)
	if err != nil {
		return none, err
	}
	p := plan.New(&s.Site, bundle)
	var all []*plan.Deployment
	for _, e := range sel.Pick(inv) {
		if e.Orphan {
			continue
		}
		w := s.WantExisting(e, 0, "")
		if w.Pin, w.Digest = true, e.Note(entity.NotePrevious); w.Digest == "" {
			return none, fault.New(fault.NotFound,
				i18n.M("No previous image is recorded for runtime {{.Image}} with {{.Memory}} MB.", "Image", e.Image, "Memory", e.NamedMB),
				i18n.M("Deploy the image you want with 'ibmcloud fn-runtime deploy IMAGE'."))
		}
		if err := s.CheckPinned(ctx, w.Image, w.Digest); fault.Is(err, fault.Invalid) {
			return none, fault.New(fault.NotFound,
				i18n.M("The registry no longer contains the previous image of runtime {{.Image}} with {{.Memory}} MB: {{.Tag}}.",
					"Image", e.Image, "Memory", e.NamedMB, "Tag", entity.FixedTag(w.Image, w.Digest)),
				i18n.M("Deploy the image you want with 'ibmcloud fn-runtime deploy IMAGE'.")).Because(err)
		}
		have, err := s.readExisting(ctx, e)
		if err != nil {
			return none, err
		}
		all = append(all, p.NewDeployment(w, have, false))
	}
	if len(all) == 0 {
		return none, sel.NotFound(inv)
	}
	if err := s.checkFeasible(ctx, all); err != nil {
		return none, err
	}
	p.Deploy(all...)
	if !req.DryRun {
		err = p.Run(ctx, nil)
	}
	return s.result(p, req.DryRun), err
}
