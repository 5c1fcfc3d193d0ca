package runtime

import (
	"cmp"
	"context"
	"slices"

	"fn-runtime/runtime/entity"
)

// Names returns the images of this user key that are deployed, without duplicates, sorted. It calls only the compute
// service, so that shell completion does not have to wait for the bucket.
func (s *Service) Names(ctx context.Context) ([]string, error) {
	list, err := s.Compute.Runtimes(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range list.Runtimes {
		if r.Own {
			names = append(names, cmp.Or(r.Note(entity.NoteImage), r.Reference))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
