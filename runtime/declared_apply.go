package runtime

import (
	"context"
	"slices"

	"fn-runtime/i18n"
)

// apply carries out the plan: what has to be there, the builds one after another, the runtimes side by side and, when
// all that is done, the deletions.
func (p *declaredState) apply(ctx context.Context) error {
	if len(p.removals) > 0 && p.req.Confirm != nil {
		yes, err := p.req.Confirm(p.result())
		if err != nil || !yes {
			p.skip()
			return err
		}
	}
	p.makeAround(ctx)
	p.build(ctx)
	var ready []*change
	for _, d := range p.runtimes {
		if !d.unbuilt() {
			ready = append(ready, d.changes...)
		}
	}
	if p.ok() {
		p.s.applyAll(ctx, ready, p.bundle)
		for i := range p.around {
			if p.around[i].Kind == KindPackage {
				disprove(&p.around[i], ready)
			}
		}
	}
	if p.ok() && ctx.Err() == nil && !slices.ContainsFunc(p.runtimes, (*declared).unbuilt) {
		p.s.removeAll(ctx, p.removals)
	}
	p.skip()
	return outcome(ctx, p.result().Items)
}

// ok tells whether what has to be there could be made, and no runtime has failed.
func (p *declaredState) ok() bool {
	failed := func(it Item) bool { return it.Status == Failed || it.Status == Skipped && it.Kind != KindCache }
	return !slices.ContainsFunc(p.around, failed) &&
		!slices.ContainsFunc(p.changes(), func(c *change) bool { return slices.ContainsFunc(c.items(), failed) })
}

// unbuilt tells of an image that should have been built and was not.
func (d *declared) unbuilt() bool { return d.image != nil && d.image.Status != Done }

func (p *declaredState) makeAround(ctx context.Context) {
	for i := range p.around {
		it := &p.around[i]
		err := errSkipped
		if ctx.Err() == nil && (i == 0 || p.around[i-1].Status == Done) {
			switch it.Kind {
			case KindNamespace:
				_, err = p.s.Namespace.Create(ctx)
			case KindPackage:
				_, err = p.s.Functions.CreatePackage(ctx, it.Name)
			case KindBucket:
				err = p.s.Store.CreateBucket(ctx)
			}
		}
		it.settle(err)
	}
}

// build builds the images that have to be; one that fails stops only its own runtimes.
func (p *declaredState) build(ctx context.Context) {
	for _, d := range p.runtimes {
		switch {
		case d.image == nil:
			continue
		case d.image.Change == Unchanged:
			d.image.Status = Done
			continue
		case ctx.Err() != nil || slices.ContainsFunc(p.around, func(it Item) bool { return it.Status != Done }):
			d.image.Status = Skipped
			continue
		}
		start := p.s.clock().Now()
		built, err := p.s.Build(ctx, *d.Build, p.req.Output)
		d.image.Took = p.s.clock().Now().Sub(start)
		if ctx.Err() != nil && skipped(err) {
			err = errSkipped
		}
		if d.image.settle(d.wrap(err)); err != nil {
			continue
		}
		d.changes = nil
		for i, w := range d.wants {
			w.digest = built.Digest
			d.changes = append(d.changes, p.s.reconcile(w, d.haves[i], p.bundle, false))
		}
	}
}

// skip gives what was not tried its status.
func (p *declaredState) skip() {
	for i := range p.around {
		if p.around[i].Status == Planned {
			p.around[i].Status = Skipped
		}
	}
	for _, d := range p.runtimes {
		if d.image != nil && d.image.Status == Planned {
			d.image.Status = Skipped
		}
		for _, c := range d.changes {
			c.end(Skipped)
		}
	}
	for _, r := range p.removals {
		for i := range r.items {
			if r.items[i].Status == Planned {
				r.items[i].Status = Skipped
			}
		}
	}
}

func (p *declaredState) result() Result {
	r := Result{DryRun: p.req.DryRun, Items: slices.Clone(p.around)}
	for _, d := range p.runtimes {
		if d.image != nil {
			r.Items = append(r.Items, *d.image)
		}
		for _, c := range d.changes {
			r.Items = append(r.Items, c.items()...)
			if c.have.action != nil || c.action.Status == Done || p.req.DryRun {
				r.Runtimes = append(r.Runtimes, p.s.afterwards(c))
			}
		}
	}
	for _, rm := range p.removals {
		for _, it := range rm.items {
			if it.Reason.IsZero() {
				it.Reason = i18n.M("It is not declared.")
			}
			r.Items = append(r.Items, it)
		}
	}
	return r
}
