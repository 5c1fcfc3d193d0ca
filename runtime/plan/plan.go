// Package plan makes all changes to targets. An operation adds its changes to a Plan. The plan can be displayed,
// confirmed and run. After the run, it contains the status of each change.
//
// It defines the order of changes, which allows an interrupted run to be resumed, and handles interruption,
// confirmation and the status of each item. It contains the steps that deploy or delete one runtime. It does not select
// the runtimes of an operation, and it does not use HTTP, SDKs, flags or the screen.
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

// Plan is the list of changes of one operation. Its items are in display order, its waves in execution order.
type Plan struct {
	site        *site.Site
	bundle      lithops.Bundle // code to register with runtimes; the zero Bundle if none are registered
	items       []*Item
	waves       []*wave
	deployments []*Deployment

	prerequisites []*Task           // run before a runtime is built or registered
	concurrent    []*Task           // run concurrently with the runtimes
	resources     []*Task           // those of prerequisites that create service-specific objects
	created       []entity.Resource // resources that were created while the existing state was read
}

// New returns an empty plan.
func New(s *site.Site, bundle lithops.Bundle) *Plan { return &Plan{site: s, bundle: bundle} }

// wave is a group of tasks that run concurrently.
type wave struct {
	tasks           []*Task
	concurrent      []*Task      // start with the wave and may run until the end of the plan
	reportsProgress bool         // report the number of finished tasks
	interruptNote   i18n.Message // reported if the command is interrupted during the wave
	end             func(ctx context.Context)
}

// Task is a unit of work.
type Task struct {
	Items []*Item // in the order in which Do processes them
	After []*Task // prerequisites; the task runs only if all of them succeed
	// Do does the work. If it fails, it has marked the items that it finished as Done.
	Do func(ctx context.Context) error
	// Idle reports whether there is nothing to do; nil means never.
	Idle func() bool

	done bool
}

// show appends items to the displayed items.
func (p *Plan) show(items ...*Item) { p.items = append(p.items, items...) }

// Then adds tasks that run concurrently after all previous tasks, and displays their items.
func (p *Plan) Then(tasks ...*Task) { p.then(&wave{tasks: tasks}) }

func (p *Plan) then(w *wave) {
	before := p.tasks()
	for _, t := range w.tasks {
		t.After = append(t.After, before...)
		p.show(t.Items...)
	}
	p.waves = append(p.waves, w)
}

// Concurrently adds tasks that run concurrently with everything else, and displays their items.
func (p *Plan) Concurrently(tasks ...*Task) {
	if len(p.waves) == 0 {
		p.waves = []*wave{{}}
	}
	p.waves[0].concurrent = append(p.waves[0].concurrent, tasks...)
	for _, t := range tasks {
		p.show(t.Items...)
	}
}

// Build adds the build of an image that some deployments depend on. Images are built one after the other. do returns
// the digest of the built image.
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
		d.build = t
	}
	p.waves = append(p.waves, &wave{tasks: []*Task{t}})
}

// Deploy adds deployments that run concurrently, and displays their items after the image that they use. Deployments
// that share a metadata object form one task.
func (p *Plan) Deploy(all ...*Deployment) {
	w := &wave{concurrent: p.concurrent, reportsProgress: true, interruptNote: i18n.M("Interrupted. Changes that have started are being completed. Press Ctrl-C again to stop immediately.")}
	tasks := map[string]*Task{}
	for _, d := range all {
		t := tasks[d.Want.Key]
		if t == nil {
			t = &Task{After: slices.Clone(p.prerequisites)}
			tasks[d.Want.Key], w.tasks = t, append(w.tasks, t)
		} else {
			d.sharesMetadata = true
			d.decide()
		}
		if build := d.build; build != nil {
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

// tasks returns the tasks of all waves, on which later tasks may depend.
func (p *Plan) tasks() (all []*Task) {
	for _, w := range p.waves {
		all = append(all, w.tasks...)
	}
	return all
}

// Items returns copies of the items in their current state.
func (p *Plan) Items() []Item {
	var items []Item
	for _, it := range p.items {
		items = append(items, *it)
	}
	return items
}

// Deployments returns the planned deployments.
func (p *Plan) Deployments() []*Deployment { return p.deployments }

// Run runs the plan if ask is nil or returns true. Afterwards, items that were not tried are Skipped. Run returns the
// error of the failed items or of the interruption.
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
	if !w.interruptNote.IsZero() {
		defer context.AfterFunc(ctx, func() { p.site.Note(w.interruptNote) })()
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
	if w.reportsProgress {
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

// settle sets the status of the items that are still Planned. If the work failed, the first of them failed and the
// others are skipped.
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
