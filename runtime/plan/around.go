package plan

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/linger"
	"fn-runtime/runtime/site"
)

// Around is what has to be there before the first runtime.
type Around struct {
	Place  bool // has to be made
	Things []entity.Thing
	Made   bool // the Things were made already, while it was looked whether there is anything to do
	Bucket bool // has to be made
	Beside bool // the bucket is made beside the runtimes: it is needed only when their metadata is stored
}

// Surround plans the surroundings, in their order.
func (p *Plan) Surround(a Around) {
	one := func(it Item, do func(ctx context.Context) error) *Task {
		it.Change, it.Status = Create, Planned
		return &Task{Items: []*Item{&it}, Do: do}
	}
	if a.Place {
		p.Then(one(Item{Kind: KindPlace, Term: p.site.Compute.Terms().Place, Name: p.site.Target.Namespace}, p.makePlace))
	}
	for _, thing := range a.Things {
		t := one(Item{Kind: KindThing, Term: thing.Term, Name: thing.Name}, func(ctx context.Context) error {
			_, err := p.site.Compute.Make(ctx, thing)
			return err
		})
		p.things = append(p.things, t)
		if a.Made {
			t.Items[0].Status, p.made = Done, append(p.made, thing)
			p.show(t.Items[0])
			continue
		}
		p.Then(t)
	}
	defer func() { p.around = p.tasks() }()
	if !a.Bucket {
		return
	}
	bucket := one(Item{Kind: KindBucket, Name: p.site.Target.Bucket}, p.site.Store.CreateBucket)
	if !a.Beside {
		p.Then(bucket)
		return
	}
	bucket.After, p.beside = p.tasks(), []*Task{bucket}
	p.show(bucket.Items...)
}

// makePlace makes the place, and gives what is deployed in it the names that are known only then.
func (p *Plan) makePlace(ctx context.Context) error {
	if err := p.site.Compute.MakePlace(ctx); err != nil {
		return err
	}
	p.site.Contract.Namespace = p.site.Compute.Namespace()
	for _, d := range p.deployments {
		d.Want.ID, d.Want.Key = p.site.Contract.Runtime(d.Want.Image, d.Want.MemoryMB)
		d.Runtime.Name, d.Metadata.Name, d.Cache.Name = d.Want.ID.String(), d.Want.Key, d.Want.Key
	}
	return nil
}

// tidy removes what nothing has need of any more. The work is done without that: what stays is said, because nobody else
// looks for it.
func (p *Plan) tidy(ctx context.Context) {
	ctx, cancel := linger.Context(ctx, undoTime)
	defer cancel()
	if err := p.site.Compute.Tidy(ctx); err != nil {
		p.site.Warn(i18n.M("Code that no runtime needs any more could not be removed: {{.Error}} Remove it with 'ibmcloud fn-runtime doctor --repair'.", "Error", site.Sentence(err)))
	}
}

// disprove takes back that a thing was made when a runtime could not be registered because it is not there: a server may
// answer its creation as if it were there, for a reason of its own.
func (p *Plan) disprove() {
	for _, d := range p.deployments {
		if d.Runtime.Status != Failed || !fault.Is(d.Runtime.Err, fault.NotFound) {
			continue
		}
		for _, t := range p.things {
			t.Items[0].settle(d.Runtime.Err)
		}
	}
}

// takeBack removes the things that were made while looking when nothing came of it. The service refuses where somebody
// else has need of them meanwhile.
func (p *Plan) takeBack(ctx context.Context) {
	for _, d := range p.deployments {
		if !final(d.Runtime.Err) {
			return
		}
	}
	ctx, cancel := linger.Context(ctx, undoTime)
	defer cancel()
	for i, thing := range p.made {
		if p.site.Compute.Remove(ctx, thing) == nil {
			p.things[i].Items[0].Status = Skipped
		}
	}
}
