package runtime

import (
	"context"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Prune removes what the installed client has no use for: the runtimes of other releases of Lithops under this user's key,
// with their metadata and cache entries.
func (s *Service) Prune(ctx context.Context, req PruneRequest) (Result, error) {
	op := i18n.M("Pruning runtimes in {{.Place}}", "Place", s.Place())
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
		if len(gone) > 0 && !req.DryRun {
			err = p.Run(ctx, s.consent(p, req.Confirm))
		}
		return s.result(p, req.DryRun), err
	})
}
