package images

import (
	"context"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// Local gives the names with tags of the images that the engine has, sorted.
func (b *Builder) Local(ctx context.Context) ([]string, error) {
	e, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	list, err := e.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, one := range list {
		for _, tag := range one.RepoTags {
			if !strings.Contains(tag, "<none>") {
				names = append(names, tag)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
