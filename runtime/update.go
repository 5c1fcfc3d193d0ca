package runtime

import (
	"context"
	"sync/atomic"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Update brings deployed runtimes of the client's Lithops version to the client's Lithops code. Memory and, unless
// given, time limits stay. Runtimes that differ in nothing are left alone; those of other Lithops versions are reported
// and not touched, because the client of that version has to update them.
func (s *Service) Update(ctx context.Context, req UpdateRequest) (Result, error) {
	op := i18n.M("Updating runtime {{.Name}} in namespace {{.Namespace}}", "Name", req.Name, "Namespace", s.Target.Namespace)
	if req.Name == AllName {
		op = i18n.M("Updating all runtimes in namespace {{.Namespace}}", "Namespace", s.Target.Namespace)
	}
	sel, err := s.selector(req.Name, req.MemoryMB, "")
	if err == nil && req.TimeoutS != 0 {
		err = s.limits().CheckTimeout(req.TimeoutS)
	}
	if err != nil {
		return Result{}, err
	}
	end := s.begin(op)
	result, err := s.update(ctx, sel, req)
	err = fault.During(op, err)
	end(err)
	return result, err
}

func (s *Service) update(ctx context.Context, sel selector, req UpdateRequest) (Result, error) {
	result := Result{DryRun: req.DryRun}
	var inv *inventory
	var bundle lithops.Bundle
	err := parallel.Together(ctx, func(ctx context.Context) (err error) {
		inv, err = s.inventory(ctx)
		return err
	}, func(ctx context.Context) (err error) {
		bundle, err = lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
		return err
	})
	if err != nil {
		return result, err
	}
	var mine, others []entry
	for _, e := range sel.pick(inv) {
		switch {
		case e.orphan:
		case e.version == s.Contract.Version:
			mine = append(mine, e)
		default:
			others = append(others, e)
		}
	}
	if len(mine)+len(others) == 0 && req.Name != AllName {
		return result, sel.missing(inv)
	}
	changes, err := s.planUpdates(ctx, mine, bundle, req)
	if err != nil {
		return result, err
	}
	if !req.DryRun {
		s.applyAll(ctx, changes, bundle)
	}
	for _, c := range changes {
		result.Items = append(result.Items, c.items()...)
		result.Runtimes = append(result.Runtimes, s.afterwards(c))
	}
	if !req.DryRun {
		err = outcome(ctx, result.Items)
	}
	for _, e := range others {
		result.Items = append(result.Items, Item{Change: Unchanged, Kind: KindAction, Name: e.action.Package + "/" + e.action.Name, Image: e.image,
			Memory: e.memoryMB, Status: Skipped, Reason: i18n.M("It is of Lithops {{.Version}}: update it with that client.", "Version", e.version)})
	}
	return result, err
}

// planUpdates reads what the list does not tell, the metadata, and decides for each runtime.
func (s *Service) planUpdates(ctx context.Context, entries []entry, bundle lithops.Bundle, req UpdateRequest) ([]*change, error) {
	digests := s.readDigests(ctx, entries)
	changes, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), entries, func(ctx context.Context, e entry) (*change, error) {
		timeout := req.TimeoutS
		if timeout == 0 {
			timeout = max(1, e.action.TimeoutMS/1000)
		}
		w := s.want(e.image, e.memoryMB, timeout, "")
		// The names are those that are there: they hold whatever image an older tool read into them.
		w.pkg, w.action, w.key = e.action.Package, e.action.Name, e.key
		w.pin = pinned(e.action)
		if w.digest = digests[e.image]; w.pin {
			w.digest = note(e.action, noteDigest) // a pinned runtime stays where it is
		}
		have := found{action: &e.action}
		have.cached, _ = s.Cache.ReadMetadata(w.key)
		if e.hasObject {
			data, err := s.Store.Get(ctx, w.key)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return nil, err
			}
			have.metadata = data
		}
		c := s.reconcile(w, have, bundle, req.Force)
		if now := digests[e.image]; w.pin && now != "" && now != w.digest && c.action.Change == Unchanged {
			c.action.Reason = tagMoved(e.image, true)
		}
		return c, nil
	})
	return changes, parallel.First(errs)
}

// applyAll carries out the plans side by side; a failure stops only the runtime that it happens to.
func (s *Service) applyAll(ctx context.Context, changes []*change, bundle lithops.Bundle) {
	var todo []*change
	for _, c := range changes {
		if c.changed() {
			todo = append(todo, c)
		} else {
			c.end(Done)
		}
	}
	s.progress(0, len(todo))
	told := context.AfterFunc(ctx, func() {
		s.note(i18n.M("Interrupted: what has begun is brought to its end. A second Ctrl-C stops at once."))
	})
	defer told()
	var done atomic.Int64
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), todo, func(ctx context.Context, c *change) (struct{}, error) {
		err := s.apply(ctx, c, bundle)
		s.progress(int(done.Add(1)), len(todo))
		return struct{}{}, err
	})
	for i, err := range errs {
		if err != nil {
			todo[i].end(Skipped)
		}
	}
}
