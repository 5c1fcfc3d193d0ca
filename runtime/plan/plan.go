// Package plan is the one engine that changes anything: what an operation wants is put into a Plan, which can be shown,
// asked about and carried out, and says afterwards what became of it.
//
// What may go in: the order that heals, interruption, consent, what becomes of each item; and how one runtime is brought
// to what it should be, or removed. What may not: which runtimes an operation is about, HTTP, SDKs, flags, the screen.
package plan

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// Plan is what one operation wants done. It has items in the order in which people read them, and waves in the order in
// which they are done.
type Plan struct {
	site        *site.Site
	bundle      lithops.Bundle // what runtimes get; the zero Bundle where none is registered
	items       []*Item
	waves       []*wave
	deployments []*Deployment

	prerequisites []*Task           // what has to be there before a runtime is built or registered
	concurrent    []*Task           // what is made beside the runtimes
	resources     []*Task           // of prerequisites: what only this service has
	created       []entity.Resource // of them, what was made before the plan was
}

// New makes an empty plan.
func New(s *site.Site, bundle lithops.Bundle) *Plan { return &Plan{site: s, bundle: bundle} }

// wave is what is done side by side.
type wave struct {
	tasks      []*Task
	concurrent []*Task      // begins with the wave, and may last until the end of the plan
	counts     bool         // its tasks are counted for whoever watches
	cut        i18n.Message // is said when the command is interrupted meanwhile
	end        func(ctx context.Context)
}

// Task is one piece of work.
type Task struct {
	Items []*Item // in the order in which Do comes to them
	After []*Task // is not tried unless all these are done
	// Do does the work, and marks the items that it has done before it fails at the next.
	Do func(ctx context.Context) error
	// Idle reports whether there turned out to be nothing to do; nil: never.
	Idle func() bool

	done bool
}

// show puts items at the end of what is shown.
func (p *Plan) show(items ...*Item) { p.items = append(p.items, items...) }

// Then plans tasks that are tried side by side when all before them is done, and shows their items.
func (p *Plan) Then(tasks ...*Task) { p.then(&wave{tasks: tasks}) }

func (p *Plan) then(w *wave) {
	before := p.tasks()
	for _, t := range w.tasks {
		t.After = append(t.After, before...)
		p.show(t.Items...)
	}
	p.waves = append(p.waves, w)
}

// Concurrently plans tasks that are tried beside everything else, and shows their items.
func (p *Plan) Concurrently(tasks ...*Task) {
	if len(p.waves) == 0 {
		p.waves = []*wave{{}}
	}
	p.waves[0].concurrent = append(p.waves[0].concurrent, tasks...)
	for _, t := range tasks {
		p.show(t.Items...)
	}
}

// Build plans to build the image of some deployments, which are not tried without it: one image after the other. do
// returns the digest of what it built.
func (p *Plan) Build(image *Item, of []*Deployment, do func(ctx context.Context) (digest string, err error)) {
	t := &Task{Items: []*Item{image}, After: p.prerequisites, Idle: func() bool { return image.Change == Unchanged }}
	t.Do = func(ctx context.Context) error {
		start := time.Now()
		digest, err := do(ctx)
		if image.Took = time.Since(start); err != nil {
			return err
		}
		for _, d := range of {
			d.Want.Digest = digest
			d.decide()
		}
		return nil
	}
	for _, d := range of {
		d.after = t
	}
	p.waves = append(p.waves, &wave{tasks: []*Task{t}})
}

// Deploy plans deployments, side by side, and shows their items, each image before what is deployed of it. Deployments that
// share a metadata object are one piece of work.
func (p *Plan) Deploy(all ...*Deployment) {
	w := &wave{concurrent: p.concurrent, counts: true, cut: i18n.M("Interrupted. Changes that have started are being completed. Press Ctrl-C again to stop immediately.")}
	of := map[string]*Task{}
	for _, d := range all {
		t := of[d.Want.Key]
		if t == nil {
			t = &Task{After: slices.Clone(p.prerequisites)}
			of[d.Want.Key], w.tasks = t, append(w.tasks, t)
		} else {
			d.shares = true
			d.decide()
		}
		if build := d.after; build != nil {
			t.After = append(t.After, build)
			if !slices.Contains(p.items, build.Items[0]) {
				p.show(build.Items...)
			}
		}
		p.show(d.items()...)
		t.Items = append(t.Items, d.items()...)
		before, idle := t.Do, t.Idle
		t.Idle = func() bool { return !d.Changed() && (idle == nil || idle()) }
		t.Do = func(ctx context.Context) error {
			if before != nil {
				if err := before(ctx); err != nil {
					return err
				}
			}
			return d.do(ctx)
		}
	}
	w.end = func(ctx context.Context) {
		p.undoResources(ctx)
		p.markMissing()
		p.deleteUnused(ctx)
	}
	p.deployments = append(p.deployments, all...)
	p.waves = append(p.waves, w)
}

// tasks returns those that others may have to wait for.
func (p *Plan) tasks() (all []*Task) {
	for _, w := range p.waves {
		all = append(all, w.tasks...)
	}
	return all
}

// Items returns the items as they are now.
func (p *Plan) Items() []Item {
	var items []Item
	for _, it := range p.items {
		items = append(items, *it)
	}
	return items
}

// Deployments returns what is planned for runtimes that should be there.
func (p *Plan) Deployments() []*Deployment { return p.deployments }

// Run carries the plan out when ask, which may be nil, agrees. Whatever was not tried is Skipped afterwards. The error
// is that of what failed, or of the interruption.
func (p *Plan) Run(ctx context.Context, ask func() (bool, error)) error {
	defer func() {
		for _, it := range p.items {
			if it.Status == Planned {
				it.Status = Skipped
			}
		}
	}()
	if ask != nil {
		if yes, err := ask(); err != nil || !yes {
			return err
		}
	}
	p.run(ctx, p.waves)
	return outcome(ctx, p.Items())
}

func (p *Plan) run(ctx context.Context, waves []*wave) {
	if len(waves) == 0 {
		return
	}
	work := []func(context.Context) error{func(ctx context.Context) error {
		p.wave(ctx, waves[0])
		p.run(ctx, waves[1:])
		return nil
	}}
	for _, t := range waves[0].concurrent {
		if t.ready() {
			work = append(work, func(ctx context.Context) error { t.settle(t.Do(ctx)); return nil })
		}
	}
	_ = parallel.Run(ctx, work...)
}

func (p *Plan) wave(ctx context.Context, w *wave) {
	if !w.cut.IsZero() {
		defer context.AfterFunc(ctx, func() { p.site.Note(w.cut) })()
	}
	var todo []*Task
	for _, t := range w.tasks {
		switch {
		case !t.ready():
		case t.Idle != nil && t.Idle():
			t.settle(nil)
		default:
			todo = append(todo, t)
		}
	}
	count := func(int) {}
	if w.counts {
		count = func(done int) { p.site.Progress(done, len(todo)) }
	}
	count(0)
	var done atomic.Int64
	parallel.Each(ctx, parallel.NewGroup(p.site.Jobs), todo, func(ctx context.Context, t *Task) (struct{}, error) {
		err := t.Do(ctx)
		t.settle(err)
		count(int(done.Add(1)))
		return struct{}{}, err
	})
	if w.end != nil {
		w.end(ctx)
	}
}

func (t *Task) ready() bool {
	return !slices.ContainsFunc(t.After, func(a *Task) bool { return !a.done })
}

// settle returns the items that the work left planned their status: after a failure it was the first of them that failed.
func (t *Task) settle(err error) {
	t.done = err == nil
	for _, it := range t.Items {
		switch {
		case it.Status == Failed && err != nil:
			err = errSkipped
		case it.Status == Planned:
			it.settle(err)
			if err != nil {
				err = errSkipped
			}
		}
	}
}
