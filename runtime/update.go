package runtime

import (
	"context"
	"errors"

	"fn-runtime/i18n"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Update updates deployed runtimes of the client's Lithops version to the client's Lithops code. It keeps memory sizes
// and, unless specified, timeouts. Runtimes that are up to date are unchanged. Runtimes of another Lithops or Python
// version are reported and skipped, because the client of that version must update them.
func (s *Service) Update(ctx context.Context, req UpdateRequest) (Result, error) {
	op := i18n.M("Updating runtime {{.Name}} in {{.Place}}", "Name", req.Name, "Place", s.Scope())
	if req.Name == AllName {
		op = i18n.M("Updating all runtimes in {{.Place}}", "Place", s.Scope())
	}
	sel, err := s.Selector(req.Name, req.MemoryMB, "")
	if err == nil && req.TimeoutS != 0 {
		err = errors.Join(s.Compute.Limits().CheckTimeout(req.TimeoutS), s.checkJobTime(req.TimeoutS))
	}
	if err != nil {
		return Result{}, err
	}
	return during(s, op, func() (Result, error) { return s.update(ctx, sel, req) })
}

func (s *Service) update(ctx context.Context, sel site.Selector, req UpdateRequest) (Result, error) {
	none := Result{DryRun: req.DryRun}
	inv, bundle, err := s.readState(ctx, true)
	if err != nil {
		return none, err
	}
	var current []site.Entry
	var others []Item
	skip := func(e site.Entry, why i18n.Message) {
		others = append(others, Item{Change: Unchanged, Kind: KindRuntime, Term: s.Compute.Terms().Runtime, Name: e.ID.String(), Image: e.Image,
			Memory: e.NamedMB, Status: Skipped, Reason: why})
	}
	for _, e := range sel.Pick(inv) {
		state, why := s.StateOf(e, "", "")
		switch {
		case e.Orphan:
		case e.Version != s.Contract.Version:
			skip(e, i18n.M("It is for Lithops {{.Version}}. Update it with that Lithops release.", "Version", e.Version))
		case state == site.PythonMismatch && !s.Target.HostPython: // it works for clients with its Python version, and would work for no client after an update
			skip(e, why)
		default:
			current = append(current, e)
		}
	}
	if len(current)+len(others) == 0 && req.Name != AllName {
		return none, sel.NotFound(inv)
	}
	p := plan.New(&s.Site, bundle)
	all, err := s.planUpdates(ctx, p, current, req)
	if err != nil {
		return none, err
	}
	if err := s.checkFeasible(ctx, all); err != nil {
		return none, err
	}
	p.Deploy(all...)
	if !req.DryRun {
		err = p.Run(ctx, nil)
	}
	result := s.result(p, req.DryRun)
	result.Items = append(result.Items, others...)
	return result, err
}

// planUpdates reads the metadata, which lists do not contain, and plans the deployment of each runtime.
func (s *Service) planUpdates(ctx context.Context, p *plan.Plan, entries []site.Entry, req UpdateRequest) ([]*plan.Deployment, error) {
	digests := s.Digests(ctx, entries)
	all, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), entries, func(ctx context.Context, e site.Entry) (*plan.Deployment, error) {
		w := s.WantExisting(e, req.TimeoutS, digests[e.Image])
		have, err := s.readExisting(ctx, e)
		if err != nil {
			return nil, err
		}
		d := p.NewDeployment(w, have, req.Force)
		if now := digests[e.Image]; w.Pin && now != "" && now != w.Digest && d.Runtime.Change == Unchanged {
			d.Runtime.Reason = site.TagMovedReason(e.Image, true)
		}
		return d, nil
	})
	return all, parallel.FirstError(errs)
}

// readExisting reads the metadata of a listed runtime.
func (s *Service) readExisting(ctx context.Context, e site.Entry) (have plan.Existing, err error) {
	have.Cached, _ = s.Cache.ReadMetadata(e.MetadataKey)
	if !e.Orphan {
		have.Runtime = &e.Registered
	}
	if e.HasObject {
		have.Metadata, err = s.GetMetadata(ctx, e.MetadataKey)
	}
	return have, err
}
