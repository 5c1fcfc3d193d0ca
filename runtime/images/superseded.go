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

// builtLabel is the label with the name under which this program built an image. It identifies images whose name has
// moved to a newer image.
const builtLabel = "fn-runtime.image"

// withNameLabel returns the labels of a build, including the label of its name.
func withNameLabel(labels map[string]string, ref reference.Named) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	all[builtLabel] = ref.String()
	return all
}

// Superseded returns the images in the engine that this program built and pushed under a name that has moved to a newer
// image, and that no container uses. It skips images with tags other than entity.FixedTag, because the user set those
// tags. It also skips images that are based on a built image: they inherit its label, but were not pushed under its
// name.
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
		old := entity.SupersededImage{Image: one.Labels[builtLabel], ID: one.ID, Tags: normalizedNames(one.RepoTags), Size: one.Size}
		for _, at := range one.RepoDigests {
			_, digest, _ := strings.Cut(at, "@")
			old.Digests = append(old.Digests, digest)
		}
		inUse := slices.ContainsFunc(containers, func(c container.Summary) bool { return c.ImageID == one.ID })
		named := slices.ContainsFunc(old.Tags, func(tag string) bool {
			return entity.Repository(tag) != entity.Repository(old.Image) || !fixedTag.MatchString(tag)
		})
		pushed := slices.ContainsFunc(normalizedNames(one.RepoDigests), func(at string) bool { return entity.Repository(at) == entity.Repository(old.Image) })
		if !inUse && !named && pushed {
			all = append(all, old)
		}
	}
	slices.SortFunc(all, func(a, b entity.SupersededImage) int { return strings.Compare(a.Image+a.ID, b.Image+b.ID) })
	return all, nil
}

// fixedTag matches an image reference with a tag of entity.FixedTag.
var fixedTag = text.NewPattern(`:sha-[0-9a-f]{12}$`)

// normalizedNames returns the normalized references. It skips invalid ones, such as the engine's "<none>".
func normalizedNames(references []string) (all []string) {
	for _, one := range references {
		if ref, err := normalize(one); err == nil {
			all = append(all, ref.String())
		}
	}
	return all
}

// Remove removes an image and its tags from the engine. It returns nil if the image does not exist. The engine refuses
// to remove an image that a container or another image uses.
func (b *Builder) Remove(ctx context.Context, old entity.SupersededImage) error {
	e, err := b.connect(ctx)
	if err != nil {
		return err
	}
	for _, name := range append(slices.Clone(old.Tags), old.ID) { // removing the last tag removes the image
		if _, err := e.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true}); err != nil && !errdefs.IsNotFound(err) {
			return engineFault(ctx, e, err)
		}
	}
	return nil
}
