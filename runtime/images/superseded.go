package images

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/text"
)

// builtLabel says under which name this program built an image, so that those are found that lost the name to a newer one.
const builtLabel = "fn-runtime.image"

// labelled are the labels of a build, with that of its name.
func labelled(labels map[string]string, ref reference.Named) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	all[builtLabel] = ref.String()
	return all
}

// Superseded returns the images of the engine that were built and pushed under a name that they no longer have, and that no
// container is of. Those with tags of another kind than entity.FixedTag are somebody's who gave them. What was made from an
// image has its label, too, but was not pushed under its name.
func (b *Builder) Superseded(ctx context.Context) ([]entity.SupersededImage, error) {
	e, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	list, err := e.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", builtLabel))})
	if err != nil {
		return nil, engineFault(ctx, e, err)
	}
	containers, err := e.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, engineFault(ctx, e, err)
	}
	var all []entity.SupersededImage
	for _, one := range list {
		old := entity.SupersededImage{Image: one.Labels[builtLabel], ID: one.ID, Tags: names(one.RepoTags), Size: one.Size}
		for _, at := range one.RepoDigests {
			_, digest, _ := strings.Cut(at, "@")
			old.Digests = append(old.Digests, digest)
		}
		inUse := slices.ContainsFunc(containers, func(c container.Summary) bool { return c.ImageID == one.ID })
		named := slices.ContainsFunc(old.Tags, func(tag string) bool {
			return entity.Repository(tag) != entity.Repository(old.Image) || !fixedTag.MatchString(tag)
		})
		pushed := slices.ContainsFunc(names(one.RepoDigests), func(at string) bool { return entity.Repository(at) == entity.Repository(old.Image) })
		if !inUse && !named && pushed {
			all = append(all, old)
		}
	}
	slices.SortFunc(all, func(a, b entity.SupersededImage) int { return strings.Compare(a.Image+a.ID, b.Image+b.ID) })
	return all, nil
}

var fixedTag = text.NewPattern(`:sha-[0-9a-f]{12}$`)

// names are references as they are normalised; the engine says "<none>" where there is none.
func names(references []string) (all []string) {
	for _, one := range references {
		if ref, err := normalized(one); err == nil {
			all = append(all, ref.String())
		}
	}
	return all
}

// Remove takes an image with its tags out of the engine; nil when it was not there. The engine refuses where a container
// or another image is made of it.
func (b *Builder) Remove(ctx context.Context, old entity.SupersededImage) error {
	e, err := b.connect(ctx)
	if err != nil {
		return err
	}
	for _, name := range append(slices.Clone(old.Tags), old.ID) { // the last tag takes the image with it
		if _, err := e.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true}); err != nil && !errdefs.IsNotFound(err) {
			return engineFault(ctx, e, err)
		}
	}
	return nil
}
