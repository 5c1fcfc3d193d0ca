package runtime

import (
	"cmp"
	"context"
	"slices"

	"fn-runtime/runtime/entity"
)

// Names returns the images that are deployed under this user's key, each once, sorted. It reads the compute service only,
// so that completion need not wait for the bucket.
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
