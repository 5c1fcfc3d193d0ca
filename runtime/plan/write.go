package plan

import (
	"context"
	"errors"
	"slices"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// graceTime is how long running deployments may continue after an interruption. It covers a cold start and a few
// requests.
const graceTime = 30 * time.Second

// undoTime limits the cleanup after a failed deployment.
const undoTime = 30 * time.Second

// do deploys one runtime. If the command is interrupted, it continues for at most graceTime.
func (d *Deployment) do(ctx context.Context) error {
	ctx, stop := parallel.WithGracePeriod(ctx, graceTime)
	defer stop()
	start := time.Now()
	err := d.write(ctx)
	d.Runtime.Took = time.Since(start)
	return err
}

// write writes the parts in an order that a later run can resume: first the runtime, then the metadata object, which
// proves that the runtime works, and last the cache entry.
func (d *Deployment) write(ctx context.Context) error {
	var r entity.Registered
	if d.mustRegister {
		var err error
		if r, err = d.register(ctx); err != nil {
			if r.Reference != d.Want.Reference() {
				d.undo(ctx, r, err)
			}
			return err
		}
	} else if d.Have.Runtime != nil {
		r = *d.Have.Runtime
	}
	md := d.stored.Metadata
	if d.mustCall {
		var err error
		md, err = d.site.Describe(ctx, d.Want)
		if fault.Is(err, fault.NotFound) {
			// Another process deleted the runtime after it was read or registered. Register it again.
			if r, err = d.register(ctx); err == nil {
				d.mustRegister = true
				md, err = d.site.Describe(ctx, d.Want)
			}
		}
		if err != nil {
			d.Runtime.Status, d.Runtime.Err = Failed, err
			d.undo(ctx, r, err)
			return err
		}
	}
	d.Runtime.Status = Done
	data := d.Have.Metadata
	if d.Metadata.Change != Unchanged {
		var err error
		if data, err = site.EncodeMetadata(md, d.Want.TimeoutS, site.Proof(r)); err == nil {
			err = d.store(ctx, data)
		}
		if err != nil {
			return err
		}
	}
	d.Metadata.Status = Done
	if d.Cache.Change == Unchanged {
		return nil
	}
	err := d.site.Cache.WriteMetadata(d.Want.Key, data)
	if err != nil && d.Have.Cached == nil { // a missing entry only slows the client down, but an old one hides the new metadata
		d.Cache.Status = Skipped
		d.site.Warn(i18n.M("The local cache was not updated: {{.Error}} The client reads the bucket instead.", "Error", site.Sentence(err)))
		return nil
	}
	return err
}

// register registers the runtime and verifies what the service stored. For example, some OpenWhisk versions drop the
// digest of an image and run the tag "latest" instead.
func (d *Deployment) register(ctx context.Context) (entity.Registered, error) {
	r := d.registration()
	ctx, err := parallel.Uninterrupted(ctx)
	if err != nil {
		return r, err
	}
	stored, err := d.site.Compute.Register(ctx, r, d.bundle)
	if err == nil && stored.Reference != r.Reference {
		err = fault.New(fault.Failed,
			i18n.M("The compute service was asked to run image {{.Image}}, but runs {{.Stored}}.", "Image", r.Reference, "Stored", stored.Reference),
			i18n.M("Specify the image by tag and omit '--pin'. This service does not store digests."))
	}
	if err != nil && stored.Reference == "" {
		stored = r
	}
	return stored, err
}

// store writes the metadata object and creates the bucket if it does not exist. Then it checks that the runtime still
// exists: metadata without a runtime makes the client hang, so if another process deleted the runtime in the meantime,
// store deletes the metadata as well. The check must follow the write. If both ran concurrently, the check could still
// find the runtime, and the deletion by the other process might not find the metadata yet.
func (d *Deployment) store(ctx context.Context, data []byte) error {
	ctx, err := parallel.Uninterrupted(ctx)
	if err != nil {
		return err
	}
	err = d.site.Store.Put(ctx, d.Want.Key, data)
	if fault.Is(err, fault.NotFound) {
		if err := d.site.Store.CreateBucket(ctx); err != nil {
			return err
		}
		err = d.site.Store.Put(ctx, d.Want.Key, data)
	}
	if err != nil {
		return err
	}
	if _, err := d.site.Compute.Runtime(ctx, d.Want.ID); !fault.Is(err, fault.NotFound) {
		return nil
	}
	deleted := fault.New(fault.Conflict,
		i18n.M("Runtime {{.Image}} was deleted by another process while it was being deployed.", "Image", d.Want.Image),
		i18n.M("Rerun the command."))
	return errors.Join(deleted, d.deleteMetadata(ctx))
}

// deleteMetadata deletes the metadata from the bucket and from this machine unless runtimes with other memory sizes use
// it.
func (d *Deployment) deleteMetadata(ctx context.Context) error {
	if d.site.Contract.SharesMetadata() {
		list, err := d.site.Compute.Runtimes(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list.Runtimes, func(r entity.Registered) bool { return r.MetadataKey == d.Want.Key && r.ID != d.Want.ID }) {
			return nil
		}
	}
	return errors.Join(d.site.Store.Delete(ctx, d.Want.Key), d.site.Cache.RemoveMetadata(d.Want.Key))
}

// undo cleans up after a deployment that failed because of the runtime itself or was interrupted. It deletes a runtime
// that this run created. It keeps a runtime that existed before, but deletes the metadata, which is no longer valid.
// After a network failure it undoes nothing, because the next run continues from there.
func (d *Deployment) undo(ctx context.Context, r entity.Registered, cause error) {
	created := d.Have.Runtime == nil
	if !d.mustRegister || !isFinal(cause) || !created && fault.KindOf(cause) != fault.Failed {
		return
	}
	ctx, cancel := grace.Context(ctx, undoTime)
	defer cancel()
	if created {
		// Another run may have deployed the same runtime successfully in the meantime. Then it must not be deleted.
		if data, err := d.site.Store.Get(ctx, d.Want.Key); err == nil {
			if stored, err := site.ParseMetadata(data); err == nil && stored.Proof == site.Proof(r) {
				return
			}
		}
	}
	err := d.deleteMetadata(ctx)
	if created {
		err = errors.Join(err, d.site.Compute.Unregister(ctx, r.ID))
		// The other run may have stored its metadata in between.
		err = errors.Join(err, d.deleteMetadata(ctx))
	}
	if err != nil {
		d.site.Warn(i18n.M("The partial deployment of runtime {{.Image}} could not be deleted: {{.Error}} Delete it with 'ibmcloud fn-runtime delete {{.Image}}'.",
			"Image", d.Want.Image, "Error", site.Sentence(err)))
	}
}

// isFinal reports whether a failure was caused by the runtime or the user, so that a rerun would not continue from
// here.
func isFinal(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Failed || kind == fault.Timeout || kind == fault.Interrupted
}
