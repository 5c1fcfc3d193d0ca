package runtime

import (
	"context"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/linger"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/text"
)

// graceTime is how long the runtimes that are being deployed may take to their end after an interruption: a cold start
// and a few requests.
const graceTime = 30 * time.Second

// undoTime bounds the removal of what a failed deployment left.
const undoTime = 30 * time.Second

// apply carries out the plan for one runtime in the order that heals: the action first, then the proof that it runs,
// the metadata object, and the cache entry last. Each item of the plan gets its status.
//
// A runtime that was begun when the command is interrupted is brought to its end, unless that takes longer than
// graceTime.
func (s *Service) apply(ctx context.Context, c *change, bundle lithops.Bundle) error {
	ctx, stop := parallel.Linger(ctx, graceTime)
	defer stop()
	c.begin()
	start := s.clock().Now()
	err := s.write(ctx, c, bundle)
	took := s.clock().Now().Sub(start)
	if err == nil {
		c.end(Done)
	} else {
		c.end(Skipped)
	}
	c.action.Took = took
	return err
}

func (s *Service) write(ctx context.Context, c *change, bundle lithops.Bundle) error {
	action := s.registration(c, bundle)
	if c.put {
		if err := s.putAction(ctx, action, bundle); err != nil {
			c.action.settle(err)
			return err
		}
	} else if c.have.action != nil {
		action = *c.have.action
	}
	md := c.keep.Metadata
	if c.call {
		var err error
		md, err = s.extract(ctx, c.want)
		if fault.Is(err, fault.NotFound) {
			// Deleted by somebody after it was found or written: once more, from the start.
			action = s.registration(c, bundle)
			if err = s.putAction(ctx, action, bundle); err == nil {
				c.put = true
				md, err = s.extract(ctx, c.want)
			}
		}
		if err != nil {
			s.undo(ctx, c, action, err)
			return err
		}
	}
	c.action.Status = Done
	data := c.have.metadata
	if c.metadata.Change != Unchanged {
		var err error
		if data, err = writeMetadata(md, c.want.timeoutS, proof(action)); err == nil {
			err = s.putMetadata(ctx, c.want, data)
		}
		if err != nil {
			c.metadata.settle(err)
			return err
		}
	}
	c.metadata.Status = Done
	if c.cache.Change != Unchanged {
		if err := s.Cache.WriteMetadata(c.want.key, data); err != nil {
			return s.cacheFailed(c, err)
		}
	}
	return nil
}

// cacheFailed judges a cache that cannot be written: no entry is only slower, an old one hides the new metadata.
func (s *Service) cacheFailed(c *change, err error) error {
	if c.have.cached == nil {
		c.cache.Status = Skipped
		s.warn(i18n.M("The local cache was not written: {{.Error}} The client reads the bucket instead.", "Error", sentence(err)))
		return nil
	}
	c.cache.settle(err)
	return err
}

// putAction writes the action; a package that is not there any more is made first.
func (s *Service) putAction(ctx context.Context, a entity.Action, bundle lithops.Bundle) error {
	ctx, err := parallel.Whole(ctx)
	if err != nil {
		return err
	}
	code := entity.Code{Base64: bundle.Base64}
	err = s.Functions.PutAction(ctx, a, code)
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	if _, err := s.Functions.CreatePackage(ctx, a.Package); err != nil {
		return err
	}
	return s.Functions.PutAction(ctx, a, code)
}

// putMetadata stores the metadata object, in a new bucket when there is none. After it, it looks whether the action is
// still there: metadata without its action makes the client hang, so a deletion that came in between wins. The look must
// not run beside the writing: a deletion between the two would see no metadata yet, and the look still the action.
func (s *Service) putMetadata(ctx context.Context, w wanted, data []byte) error {
	ctx, err := parallel.Whole(ctx)
	if err != nil {
		return err
	}
	err = s.Store.Put(ctx, w.key, data)
	if fault.Is(err, fault.NotFound) {
		if err := s.Store.CreateBucket(ctx); err != nil {
			return err
		}
		err = s.Store.Put(ctx, w.key, data)
	}
	if err != nil {
		return err
	}
	if _, err := s.Functions.Action(ctx, w.pkg, w.action); !fault.Is(err, fault.NotFound) {
		return nil
	}
	deleted := fault.New(fault.Conflict,
		i18n.M("Runtime {{.Image}} was deleted by somebody else while it was being deployed.", "Image", w.image),
		i18n.M("Run the same command again."))
	return errors.Join(deleted, s.Store.Delete(ctx, w.key), s.Cache.RemoveMetadata(w.key))
}

// undo leaves nothing half deployed when the runtime itself is at fault or the user interrupts. What this run created
// is removed; a runtime that was there before keeps its action, but not the metadata that no longer describes it.
// After a fault of the network nothing is taken back: the next run goes on from there.
func (s *Service) undo(ctx context.Context, c *change, action entity.Action, cause error) {
	c.action.settle(cause)
	kind := fault.KindOf(cause)
	if !c.put || kind != fault.Failed && kind != fault.Timeout && kind != fault.Interrupted {
		return
	}
	created := c.have.action == nil
	if !created && kind != fault.Failed {
		return
	}
	ctx, cancel := linger.Context(ctx, undoTime)
	defer cancel()
	if created {
		// Another run may have deployed the same meanwhile and found it in order: then it is not ours to remove.
		if data, err := s.Store.Get(ctx, c.want.key); err == nil {
			if stored, err := readMetadata(data); err == nil && stored.Proof == proof(action) {
				return
			}
		}
	}
	err := errors.Join(s.Store.Delete(ctx, c.want.key), s.Cache.RemoveMetadata(c.want.key))
	if created {
		if gone := s.Functions.DeleteAction(ctx, action.Package, action.Name); !fault.Is(gone, fault.NotFound) {
			err = errors.Join(err, gone)
		}
		// The other run may have stored its metadata in between.
		err = errors.Join(err, s.Store.Delete(ctx, c.want.key))
	}
	if err != nil {
		s.warn(i18n.M("What was deployed of runtime {{.Image}} could not be removed: {{.Error}} Remove it with 'ibmcloud fn-runtime delete {{.Image}}'.",
			"Image", c.want.image, "Error", sentence(err)))
	}
}

// sentence is the text of an error, ended like a sentence.
func sentence(err error) string {
	words := text.Line(err.Error(), shownWidth)
	if words != "" && words[len(words)-1] != '.' {
		words += "."
	}
	return words
}
