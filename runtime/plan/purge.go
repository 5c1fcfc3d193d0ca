package plan

import (
	"context"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// Step returns a task with a single action. Once started, it is not aborted by an interruption.
func Step(it Item, do func(ctx context.Context) error) *Task {
	it.Status = Planned
	return &Task{Items: []*Item{&it}, Do: func(ctx context.Context) error {
		ctx, err := parallel.Uninterrupted(ctx)
		if err != nil {
			return err
		}
		return do(ctx)
	}}
}

// Purge is a task that deletes the objects of several prefixes, one prefix after the other. The store processes a
// stream and limits its own concurrency.
type Purge struct {
	*Task
	site   *site.Site
	cutoff time.Time
}

// Purge returns a task that deletes the objects last modified before cutoff, or all objects if cutoff is zero.
func (p *Plan) Purge(cutoff time.Time, prefixes ...string) *Purge {
	u := &Purge{Task: &Task{}, site: p.site, cutoff: cutoff}
	u.Do = u.purge
	for _, prefix := range prefixes {
		u.Items = append(u.Items, &Item{Change: Delete, Kind: KindObjects, Name: prefix, Status: Planned})
	}
	return u
}

// Count sets the number of objects that would be deleted.
func (u *Purge) Count(ctx context.Context) error {
	for _, it := range u.Items {
		purged, err := u.sweep(ctx, it, true)
		if err != nil {
			return err
		}
		u.setCount(it, purged.Seen)
	}
	return nil
}

func (u *Purge) purge(ctx context.Context) error {
	var failed []error
	for _, it := range u.Items {
		purged, err := u.sweep(ctx, it, false)
		if err == nil || purged.Deleted > 0 {
			u.setCount(it, purged.Deleted)
		}
		if err == nil && len(purged.Failed) > 0 {
			err = fault.New(fault.Failed,
				i18n.N("{{.Count}} object under {{.Prefix}} could not be deleted.", "{{.Count}} objects under {{.Prefix}} could not be deleted.", max(purged.Seen-purged.Deleted, len(purged.Failed)), "Prefix", it.Name),
				i18n.M("Rerun the command.")).With(site.LastLines(purged.Failed)...)
		}
		if err != nil && ctx.Err() != nil {
			err = errSkipped
		}
		it.settle(err)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// setCount sets the number of objects of an item. Without objects the item is Unchanged.
func (u *Purge) setCount(it *Item, objects int) {
	if it.Count = int64(objects); objects == 0 {
		it.Change = Unchanged
	}
}

func (u *Purge) sweep(ctx context.Context, it *Item, dryRun bool) (entity.Purged, error) {
	return u.site.Store.Purge(ctx, entity.Sweep{Prefixes: []string{it.Name}, OlderThan: u.cutoff, DryRun: dryRun, Progress: u.site.Progress})
}
