package plan

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/site"
)

// Prerequisites is what has to be there before the first runtime.
type Prerequisites struct {
	Scope            bool // has to be made
	Resources        []entity.Resource
	Created          bool // the Things were made already, while it was looked whether there is anything to do
	Bucket           bool // has to be made
	BucketConcurrent bool // the bucket is made beside the runtimes: it is needed only when their metadata is stored
}

// AddPrerequisites plans the surroundings, in their order.
func (p *Plan) AddPrerequisites(a Prerequisites) {
	one := func(it Item, do func(ctx context.Context) error) *Task {
		it.Change, it.Status = Create, Planned
		return &Task{Items: []*Item{&it}, Do: do}
	}
	if a.Scope {
		p.Then(one(Item{Kind: KindScope, Term: p.site.Compute.Terms().Scope, Name: p.site.Target.Namespace}, p.createScope))
	}
	for _, resource := range a.Resources {
		t := one(Item{Kind: KindResource, Term: resource.Term, Name: resource.Name}, func(ctx context.Context) error {
			_, err := p.site.Compute.CreateResource(ctx, resource)
			return err
		})
		p.resources = append(p.resources, t)
		if a.Created {
			t.Items[0].Status, p.created = Done, append(p.created, resource)
			p.show(t.Items[0])
			continue
		}
		p.Then(t)
	}
	defer func() { p.prerequisites = p.tasks() }()
	if !a.Bucket {
		return
	}
	bucket := one(Item{Kind: KindBucket, Name: p.site.Target.Bucket}, p.site.Store.CreateBucket)
	if !a.BucketConcurrent {
		p.Then(bucket)
		return
	}
	bucket.After, p.concurrent = p.tasks(), []*Task{bucket}
	p.show(bucket.Items...)
}

// createScope makes the place, and gives what is deployed in it the names that are known only then.
func (p *Plan) createScope(ctx context.Context) error {
	if err := p.site.Compute.CreateScope(ctx); err != nil {
		return err
	}
	p.site.Contract.Namespace = p.site.Compute.Namespace()
	for _, d := range p.deployments {
		d.Want.ID, d.Want.Key = p.site.Contract.Runtime(d.Want.Image, d.Want.MemoryMB)
		d.Runtime.Name, d.Metadata.Name, d.Cache.Name = d.Want.ID.String(), d.Want.Key, d.Want.Key
	}
	return nil
}

// deleteUnused removes what nothing has need of any more. The work is done without that: what stays is said, because nobody else
// looks for it.
func (p *Plan) deleteUnused(ctx context.Context) {
	ctx, cancel := grace.Context(ctx, undoTime)
	defer cancel()
	if err := p.site.Compute.DeleteUnused(ctx); err != nil {
		p.site.Warn(i18n.M("Code that no runtime uses any longer could not be deleted: {{.Error}} Delete it with 'ibmcloud fn-runtime doctor --repair'.", "Error", site.Sentence(err)))
	}
}

// markMissing takes back that a resource was made when a runtime could not be registered because it is not there: a server may
// answer its creation as if it were there, for a reason of its own.
func (p *Plan) markMissing() {
	for _, d := range p.deployments {
		if d.Runtime.Status != Failed || !fault.Is(d.Runtime.Err, fault.NotFound) {
			continue
		}
		for _, t := range p.resources {
			t.Items[0].settle(d.Runtime.Err)
		}
	}
}

// undoResources removes the resources that were made while looking when nothing came of it. The service refuses where somebody
// else has need of them meanwhile.
func (p *Plan) undoResources(ctx context.Context) {
	for _, d := range p.deployments {
		if !final(d.Runtime.Err) {
			return
		}
	}
	ctx, cancel := grace.Context(ctx, undoTime)
	defer cancel()
	for i, resource := range p.created {
		if p.site.Compute.DeleteResource(ctx, resource) == nil {
			p.resources[i].Items[0].Status = Skipped
		}
	}
}
