package runtime

import (
	"context"
	"errors"
	"sync/atomic"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// Delete removes runtimes, and metadata that has lost its action. The metadata goes first, from this machine and from
// the bucket, and the action last: cut off in between, the client only deploys again, while metadata without an action
// would make it wait for ever.
func (s *Service) Delete(ctx context.Context, req DeleteRequest) (Result, error) {
	op := i18n.M("Deleting runtime {{.Name}} in namespace {{.Namespace}}", "Name", req.Name, "Namespace", s.Target.Namespace)
	if req.Name == AllName {
		op = i18n.M("Deleting all runtimes in namespace {{.Namespace}}", "Namespace", s.Target.Namespace)
	}
	sel, err := s.selector(req.Name, req.MemoryMB, req.LithopsVersion)
	if err != nil {
		return Result{}, err
	}
	end := s.begin(op)
	result, err := s.delete(ctx, sel, req)
	err = fault.During(op, err)
	end(err)
	return result, err
}

func (s *Service) delete(ctx context.Context, sel selector, req DeleteRequest) (Result, error) {
	result := Result{DryRun: req.DryRun}
	inv, err := s.inventory(ctx)
	if err != nil {
		return result, err
	}
	entries := sel.pick(inv)
	if len(entries) == 0 {
		if req.Name == AllName {
			return result, nil
		}
		return result, sel.missing(inv)
	}
	removals := make([]*removal, len(entries))
	for i, e := range entries {
		removals[i] = s.planRemoval(e)
	}
	result.Items = itemsOf(removals)
	if req.DryRun {
		return result, nil
	}
	if yes, err := confirmed(req.Confirm, &result); !yes {
		return result, err
	}
	s.removeAll(ctx, removals)
	result.Items = itemsOf(removals)
	return result, outcome(ctx, result.Items)
}

// removal is the plan to remove one runtime: its items in the order in which they go.
type removal struct {
	e     entry
	items []Item
}

func (s *Service) planRemoval(e entry) *removal {
	r := &removal{e: e}
	add := func(kind Kind, name string) {
		r.items = append(r.items, Item{Change: Delete, Kind: kind, Name: name, Image: e.image, Memory: e.memoryMB, Status: Planned})
	}
	if _, err := s.Cache.ReadMetadata(e.key); err == nil {
		add(KindCache, e.key)
	}
	if e.hasObject {
		add(KindMetadata, e.key)
	}
	if !e.orphan {
		add(KindAction, e.action.Package+"/"+e.action.Name)
	}
	if e.orphan {
		for i := range r.items {
			r.items[i].Reason = i18n.M("Its action is gone.")
		}
	}
	return r
}

func itemsOf(removals []*removal) []Item {
	var items []Item
	for _, r := range removals {
		items = append(items, r.items...)
	}
	return items
}

// removeAll removes runtimes side by side and then looks once more at the bucket: a deployment that ran meanwhile may
// have stored metadata for an action that is gone now.
func (s *Service) removeAll(ctx context.Context, removals []*removal) {
	s.progress(0, len(removals))
	var done atomic.Int64
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), removals, func(ctx context.Context, r *removal) (struct{}, error) {
		err := s.remove(ctx, r)
		s.progress(int(done.Add(1)), len(removals))
		return struct{}{}, err
	})
	for i, err := range errs {
		if err == nil {
			continue
		}
		for j := range removals[i].items {
			if removals[i].items[j].Status == Planned {
				removals[i].items[j].Status = Skipped
			}
		}
	}
	s.removeLate(ctx, removals)
}

// remove removes one runtime. What is not there any more is as good as removed.
func (s *Service) remove(ctx context.Context, r *removal) error {
	ctx, err := parallel.Whole(ctx)
	if err != nil {
		return err
	}
	for i := range r.items {
		it := &r.items[i]
		if it.Status == Done {
			continue
		}
		switch it.Kind {
		case KindCache:
			err = s.Cache.RemoveMetadata(r.e.key)
		case KindMetadata:
			err = s.Store.Delete(ctx, r.e.key)
		case KindAction:
			pkg, name := r.e.action.Package, r.e.action.Name
			err = s.actionGone(ctx, pkg, name, s.Functions.DeleteAction(ctx, pkg, name))
		}
		if err != nil {
			it.settle(err)
			return err
		}
		it.Status, it.Err = Done, nil
	}
	return nil
}

// removeLate removes metadata that appeared while its action was being deleted.
func (s *Service) removeLate(ctx context.Context, removals []*removal) {
	gone := map[string]*removal{}
	for _, r := range removals {
		if n := len(r.items); n > 0 && r.items[n-1].Kind == KindAction && r.items[n-1].Status == Done {
			gone[r.e.key] = r
		}
	}
	if len(gone) == 0 || ctx.Err() != nil {
		return
	}
	objects := map[string]entity.Object{}
	if err := s.readMetadataKeys(ctx, objects); err != nil {
		return // the deletion itself is done; 'list' and 'doctor' find what this would have found
	}
	for key := range objects {
		r, ok := gone[key]
		if !ok {
			continue
		}
		_, err := s.Functions.Action(ctx, r.e.action.Package, r.e.action.Name)
		if !fault.Is(err, fault.NotFound) {
			continue // deployed again on purpose
		}
		if err := errors.Join(s.Store.Delete(ctx, key), s.Cache.RemoveMetadata(key)); err != nil {
			r.items[len(r.items)-1].settle(err)
		}
	}
}
