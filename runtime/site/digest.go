package site

import (
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// optionalTimeout bounds a question whose answer is welcome and not needed.
const optionalTimeout = 3 * time.Second

// TagMovedReason says that the tag of a deployed image points to another digest now. A pinned runtime does not follow it by
// itself, nor by update.
func TagMovedReason(image string, pinned bool) i18n.Message {
	if pinned {
		return i18n.M("It is pinned, but the tag now points to another image. To use that image, run 'ibmcloud fn-runtime deploy {{.Image}} --pin'.", "Image", image)
	}
	return i18n.M("The tag now points to another image.")
}

// Digests asks the registries what the tags point to now, once for each image that was deployed with a known
// digest. No answer is no drift.
func (s *Site) Digests(ctx context.Context, entries []Entry) map[string]string {
	digests := map[string]string{}
	if s.Images == nil {
		return digests
	}
	var images []string
	for _, e := range entries {
		if _, asked := digests[e.Image]; !asked && !e.Orphan && e.Note(entity.NoteDigest) != "" {
			digests[e.Image] = ""
			images = append(images, e.Image)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, optionalTimeout)
	defer cancel()
	found, _ := parallel.Each(ctx, parallel.NewGroup(s.Jobs), images, func(ctx context.Context, image string) (string, error) {
		return s.Images.Digest(ctx, image, true)
	})
	for i, image := range images {
		digests[image] = found[i]
	}
	return digests
}

// CheckPinned asks the registry whether an image can be pinned at a digest: a service runs images by their tags, so there
// has to be one that is not moved.
func (s *Site) CheckPinned(ctx context.Context, image, digest string) error {
	tag := entity.FixedTag(image, digest)
	there, err := s.Digest(ctx, tag, true)
	if err != nil && !fault.Is(err, fault.NotFound) || there == digest {
		return err
	}
	return fault.New(fault.Invalid,
		i18n.M("Image {{.Image}} cannot be pinned. Compute services run images by tag, and the registry does not contain this image under the fixed tag {{.Tag}}.", "Image", image, "Tag", tag),
		i18n.M("Also push the image as {{.Tag}}, or do not pin it.", "Tag", tag))
}

// Limits returns what the service lets a runtime have, asked where it tells.
func (s *Site) Limits(ctx context.Context) lithops.Limits {
	ctx, cancel := context.WithTimeout(ctx, optionalTimeout)
	defer cancel()
	limits, err := s.Compute.ReadLimits(ctx)
	if err != nil {
		return s.Compute.Limits() // then its answer to the registration counts
	}
	return limits
}

// Digest asks the registry what a tag points to; "" when it does not answer soon. Only pinning cannot do without the
// answer.
func (s *Site) Digest(ctx context.Context, image string, pin bool) (string, error) {
	switch {
	case s.Target.HostPython && !pin, s.Images == nil && !pin:
		return "", nil
	case s.Images == nil:
		return "", fault.New(fault.Invalid, i18n.M("{{.Image}} cannot be pinned because its digest is unknown.", "Image", image),
			i18n.M("Do not pin it, or run the command where the registry is reachable."))
	case pin:
		return s.Images.Digest(ctx, image, false)
	}
	ctx, cancel := context.WithTimeout(ctx, optionalTimeout)
	defer cancel()
	digest, err := s.Images.Digest(ctx, image, true)
	if err != nil {
		return "", nil //nolint:nilerr // no answer is no drift
	}
	return digest, nil
}
