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

// Prune deletes the runtimes of this user key that the installed client does not use because they are for other Lithops
// releases, with their metadata and cache entries. On request it also deletes images in the container engine that lost
// their build tag to a newer image and that no runtime uses.
func (s *Service) Prune(ctx context.Context, req PruneRequest) (Result, error) {
	op := i18n.M("Pruning runtimes in {{.Place}}", "Place", s.Scope())
	return during(s, op, func() (Result, error) {
		inv, err := s.Inventory(ctx)
		if err != nil {
			return Result{DryRun: req.DryRun}, err
		}
		var toDelete []site.Entry
		for _, e := range inv.Entries {
			if e.Own && e.Version != s.Contract.Version && !slices.Contains(req.Keep, e.Version) {
				toDelete = append(toDelete, e)
			}
		}
		p := plan.New(&s.Site, lithops.Bundle{})
		p.Remove(inv, toDelete, i18n.Message{})
		if req.Images {
			tasks, err := s.supersededTasks(ctx, inv)
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

// supersededTasks returns tasks that delete the images that lost their build tag and that no runtime of any user key
// uses.
func (s *Service) supersededTasks(ctx context.Context, inv *site.Inventory) ([]*plan.Task, error) {
	images, err := s.Images.Superseded(ctx)
	if err != nil {
		return nil, err
	}
	var tasks []*plan.Task
	for _, old := range images {
		if slices.ContainsFunc(inv.Entries, func(e site.Entry) bool { return usesImage(e, old) }) {
			continue
		}
		item := Item{Change: Delete, Kind: KindImage, Name: old.Image + " (" + shortID(old.ID) + ")", Reason: i18n.M("It no longer has this name.")}
		tasks = append(tasks, plan.Step(item, func(ctx context.Context) error { return s.Images.Remove(ctx, old) }))
	}
	return tasks, nil
}

// usesImage reports whether a runtime uses an image, by digest or by fixed tag.
func usesImage(e site.Entry, image entity.SupersededImage) bool {
	digest := e.Note(entity.NoteDigest)
	return slices.Contains(image.Digests, digest) || slices.Contains(image.Tags, entity.FixedTag(e.Image, digest)) || slices.Contains(image.Tags, e.Reference)
}

// shortID returns an image ID in the short form of Docker's lists.
func shortID(id string) string {
	hex := strings.TrimPrefix(id, "sha256:")
	return hex[:min(12, len(hex))]
}
