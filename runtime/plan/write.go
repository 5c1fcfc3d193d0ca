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

// graceTime is how long the runtimes that are being deployed may take to their end after an interruption: a cold start
// and a few requests.
const graceTime = 30 * time.Second

// undoTime bounds the removal of what a failed deployment left.
const undoTime = 30 * time.Second

// do brings one runtime to what it should be. One that was begun when the command is interrupted is brought to its end,
// unless that takes longer than graceTime.
func (d *Deployment) do(ctx context.Context) error {
	ctx, stop := parallel.WithGracePeriod(ctx, graceTime)
	defer stop()
	start := time.Now()
	err := d.write(ctx)
	d.Runtime.Took = time.Since(start)
	return err
}

// write works in the order that heals: the runtime first, then the proof that it runs, the metadata object, and the cache
// entry last.
func (d *Deployment) write(ctx context.Context) error {
	var r entity.Registered
	if d.put {
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
	md := d.keep.Metadata
	if d.call {
		var err error
		md, err = d.site.Describe(ctx, d.Want)
		if fault.Is(err, fault.NotFound) {
			// Deleted by somebody after it was found or written: once more, from the start.
			if r, err = d.register(ctx); err == nil {
				d.put = true
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
	if err != nil && d.Have.Cached == nil { // no entry is only slower, an old one hides the new metadata
		d.Cache.Status = Skipped
		d.site.Warn(i18n.M("The local cache was not updated: {{.Error}} The client reads the bucket instead.", "Error", site.Sentence(err)))
		return nil
	}
	return err
}

// register registers the runtime and compares what the service stored: an OpenWhisk drops the digest of an image, say,
// and runs the tag "latest" instead.
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

// store writes the metadata object, in a new bucket when there is none. After it, it looks whether the runtime is still
// there: metadata without its runtime makes the client hang, so a deletion that came in between wins. The look must
// not run beside the writing: a deletion between the two would see no metadata yet, and the look still the runtime.
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

// deleteMetadata removes the metadata from the bucket and from this machine, unless runtimes of other memory sizes have need of it.
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

// undo leaves nothing half deployed when the runtime itself is at fault or the user interrupts. What this run created
// is removed; a runtime that was there before stays, but not the metadata that no longer describes it. After a fault of
// the network nothing is taken back: the next run goes on from there.
func (d *Deployment) undo(ctx context.Context, r entity.Registered, cause error) {
	created := d.Have.Runtime == nil
	if !d.put || !final(cause) || !created && fault.KindOf(cause) != fault.Failed {
		return
	}
	ctx, cancel := grace.Context(ctx, undoTime)
	defer cancel()
	if created {
		// Another run may have deployed the same meanwhile and found it in order: then it is not ours to remove.
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

// final reports whether a failure is the runtime's own or the user's, so that the next run would not go on from here.
func final(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Failed || kind == fault.Timeout || kind == fault.Interrupted
}
