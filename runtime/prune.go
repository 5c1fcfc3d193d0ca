package runtime

import (
	"context"
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Prune removes what the installed client has no use for: the runtimes of other releases of Lithops under this user's key,
// with their metadata and cache entries; and, where that is asked for, the images of the engine that were built under a
// name that another one has now, and that no runtime runs.
func (s *Service) Prune(ctx context.Context, req PruneRequest) (Result, error) {
	op := i18n.M("Pruning runtimes in {{.Place}}", "Place", s.Scope())
	return during(s, op, func() (Result, error) {
		inv, err := s.Inventory(ctx)
		if err != nil {
			return Result{DryRun: req.DryRun}, err
		}
		var gone []site.Entry
		for _, e := range inv.Entries {
			if e.Own && e.Version != s.Contract.Version && !slices.Contains(req.Keep, e.Version) {
				gone = append(gone, e)
			}
		}
		p := plan.New(&s.Site, lithops.Bundle{})
		p.Remove(inv, gone, i18n.Message{})
		if req.Images {
			tasks, err := s.superseded(ctx, inv)
			if err != nil {
				return Result{DryRun: req.DryRun}, err
			}
			p.Then(tasks...)
		}
		if len(p.Items()) > 0 && !req.DryRun {
			err = p.Run(ctx, s.consent(p, req.Confirm))
		}
		return s.result(p, req.DryRun), err
	})
}

// superseded are the tasks to remove the images that neither have the name under which they were built nor are those of a
// runtime of any key.
func (s *Service) superseded(ctx context.Context, inv *site.Inventory) ([]*plan.Task, error) {
	images, err := s.Images.Superseded(ctx)
	if err != nil {
		return nil, err
	}
	var tasks []*plan.Task
	for _, old := range images {
		if slices.ContainsFunc(inv.Entries, func(e site.Entry) bool { return runs(e, old) }) {
			continue
		}
		item := Item{Change: Delete, Kind: KindImage, Name: old.Image + " (" + shortID(old.ID) + ")", Reason: i18n.M("It no longer has this name.")}
		tasks = append(tasks, plan.Step(item, func(ctx context.Context) error { return s.Images.Remove(ctx, old) }))
	}
	return tasks, nil
}

// runs reports whether a runtime is of an image, by its digest or by a tag that is never moved.
func runs(e site.Entry, image entity.SupersededImage) bool {
	digest := e.Note(entity.NoteDigest)
	return slices.Contains(image.Digests, digest) || slices.Contains(image.Tags, entity.FixedTag(e.Image, digest)) || slices.Contains(image.Tags, e.Reference)
}

// shortID is an image's id as Docker's lists have it.
func shortID(id string) string {
	hex := strings.TrimPrefix(id, "sha256:")
	return hex[:min(12, len(hex))]
}
