package plan

import (
	"context"
	"errors"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// removal is the plan to delete the runtimes described by one metadata object. The metadata is deleted first, from this
// machine and the bucket, and the runtimes last. If the command is interrupted in between, the client deploys the
// runtime again. In the reverse order, metadata without a runtime could remain, and the client would wait for that
// runtime indefinitely.
type removal struct {
	site  *site.Site
	key   string
	last  bool        // no other runtime uses the metadata, so the metadata is deleted, too
	ids   []entity.ID // IDs of the runtimes, which are the last items
	items []*Item
}

// Remove adds the deletion of runtimes, or of metadata without a runtime, after all previous tasks. why may be zero.
// Metadata that other runtimes still use is kept.
func (p *Plan) Remove(inv *site.Inventory, toDelete []site.Entry, why i18n.Message) {
	var removals []*removal
	w := &wave{reportsProgress: true}
	for i, e := range toDelete {
		if slices.ContainsFunc(toDelete[:i], func(o site.Entry) bool { return o.MetadataKey == e.MetadataKey }) {
			continue
		}
		r := p.newRemoval(inv, toDelete, e, why)
		removals = append(removals, r)
		w.tasks = append(w.tasks, &Task{Items: r.items, Do: r.do})
	}
	w.end = func(ctx context.Context) {
		p.removeLateMetadata(ctx, removals)
		p.deleteUnused(ctx)
	}
	p.then(w)
}

// newRemoval plans the deletion of one metadata object and the runtimes that use it.
func (p *Plan) newRemoval(inv *site.Inventory, toDelete []site.Entry, first site.Entry, why i18n.Message) *removal {
	r := &removal{site: p.site, key: first.MetadataKey}
	add := func(e site.Entry, it Item) {
		it.Change, it.Image, it.Memory, it.Reason, it.Status = Delete, e.Image, e.NamedMB, why, Planned
		if e.Orphan {
			it.Reason = i18n.M("Its runtime is missing.")
		}
		r.items = append(r.items, &it)
	}
	sharing := func(list []site.Entry) (found []site.Entry) {
		for _, e := range list {
			if e.MetadataKey == r.key && !e.Orphan {
				found = append(found, e)
			}
		}
		return found
	}
	runtimes := sharing(toDelete)
	if r.last = len(sharing(inv.Entries)) == len(runtimes); r.last {
		if _, err := p.site.Cache.ReadMetadata(r.key); err == nil {
			add(first, Item{Kind: KindCache, Name: r.key})
		}
		if first.HasObject {
			add(first, Item{Kind: KindMetadata, Name: r.key})
		}
	}
	for _, e := range runtimes {
		r.ids = append(r.ids, e.ID)
		add(e, Item{Kind: KindRuntime, Term: p.site.Compute.Terms().Runtime, Name: e.ID.String()})
	}
	return r
}

// do deletes the planned objects. An object that no longer exists counts as deleted.
func (r *removal) do(ctx context.Context) error {
	ctx, err := parallel.Uninterrupted(ctx)
	if err != nil {
		return err
	}
	ids := r.ids
	for _, it := range r.items {
		switch it.Kind {
		case KindCache:
			err = r.site.Cache.RemoveMetadata(r.key)
		case KindMetadata:
			err = r.site.Store.Delete(ctx, r.key)
		default:
			err = r.site.Compute.Unregister(ctx, ids[0])
			ids = ids[1:]
		}
		if err != nil {
			return err
		}
		it.Status = Done
	}
	return nil
}

// removeLateMetadata lists the bucket again after runtimes were deleted, because a concurrent deployment may have
// stored metadata for one of them.
func (p *Plan) removeLateMetadata(ctx context.Context, removals []*removal) {
	deleted := map[string]*removal{}
	for _, r := range removals {
		if r.last && len(r.ids) > 0 && r.items[len(r.items)-1].Status == Done {
			deleted[r.key] = r
		}
	}
	if len(deleted) == 0 || ctx.Err() != nil {
		return
	}
	objects := map[string]entity.Object{}
	if err := p.site.MetadataKeys(ctx, objects); err != nil {
		return // the deletion has succeeded; 'list' and 'doctor' report remaining metadata
	}
	for key := range objects {
		r, ok := deleted[key]
		if !ok || slices.ContainsFunc(r.ids, func(id entity.ID) bool {
			_, err := p.site.Compute.Runtime(ctx, id)
			return !fault.Is(err, fault.NotFound) // redeployed intentionally
		}) {
			continue
		}
		if err := errors.Join(p.site.Store.Delete(ctx, key), p.site.Cache.RemoveMetadata(key)); err != nil {
			r.items[len(r.items)-1].settle(err)
		}
	}
}
