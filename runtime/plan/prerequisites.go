package plan

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/site"
)

// Prerequisites lists the objects to create before the first runtime is registered.
type Prerequisites struct {
	Scope            bool // create it
	Resources        []entity.Resource
	Created          bool // the resources were already created while the existing state was read
	Bucket           bool // create it
	BucketConcurrent bool // create the bucket concurrently with the runtimes, because only their metadata needs it
}

// AddPrerequisites adds the creation of the prerequisites to the plan, in order.
func (p *Plan) AddPrerequisites(a Prerequisites) {
	newTask := func(it Item, do func(ctx context.Context) error) *Task {
		it.Change, it.Status = Create, Planned
		return &Task{Items: []*Item{&it}, Do: do}
	}
	if a.Scope {
		p.Then(newTask(Item{Kind: KindScope, Term: p.site.Compute.Terms().Scope, Name: p.site.Target.Namespace}, p.createScope))
	}
	for _, resource := range a.Resources {
		t := newTask(Item{Kind: KindResource, Term: resource.Term, Name: resource.Name}, func(ctx context.Context) error {
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
	bucket := newTask(Item{Kind: KindBucket, Name: p.site.Target.Bucket}, p.site.Store.CreateBucket)
	if !a.BucketConcurrent {
		p.Then(bucket)
		return
	}
	bucket.After, p.concurrent = p.tasks(), []*Task{bucket}
	p.show(bucket.Items...)
}

// createScope creates the scope and sets the names of its deployments, which depend on the ID of the new scope.
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

// deleteUnused deletes objects that no runtime uses any more. A failure is only a warning because the operation itself
// has succeeded. The warning is needed because otherwise only 'doctor --repair' would find these objects.
func (p *Plan) deleteUnused(ctx context.Context) {
	ctx, cancel := grace.Context(ctx, undoTime)
	defer cancel()
	if err := p.site.Compute.DeleteUnused(ctx); err != nil {
		p.site.Warn(i18n.M("Code that no runtime uses any longer could not be deleted: {{.Error}} Delete it with 'ibmcloud fn-runtime doctor --repair'.", "Error", site.Sentence(err)))
	}
}

// markMissing marks the creation of a resource as failed if a runtime could not be registered because the resource does
// not exist. Some servers report on creation that the resource exists although it does not.
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

// undoResources deletes the resources that were created while the existing state was read if no runtime was deployed.
// The service rejects the deletion if other users need them in the meantime.
func (p *Plan) undoResources(ctx context.Context) {
	for _, d := range p.deployments {
		if !isFinal(d.Runtime.Err) {
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
