package runtime

import (
	"context"
	"slices"
)

// Names gives the images that are deployed under this user's key, each once, sorted. It reads the compute service only,
// so that completion need not wait for the bucket.
func (s *Service) Names(ctx context.Context) ([]string, error) {
	inv := &inventory{}
	if err := s.readActions(ctx, inv); err != nil {
		return nil, err
	}
	var names []string
	for _, e := range inv.entries {
		if e.own {
			names = append(names, e.image)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
