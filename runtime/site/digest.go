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

// optionalTimeout limits a request whose response is useful but not required.
const optionalTimeout = 3 * time.Second

// TagMovedReason returns the message that the tag of a deployed image now points to another digest. A pinned runtime
// does not follow the tag, not even with update.
func TagMovedReason(image string, pinned bool) i18n.Message {
	if pinned {
		return i18n.M("It is pinned, but the tag now points to another image. To use that image, run 'ibmcloud fn-runtime deploy {{.Image}} --pin'.", "Image", image)
	}
	return i18n.M("The tag now points to another image.")
}

// Digests reads the digests that the tags currently point to, once for each image that was deployed with a known
// digest. An unknown digest is "" and does not count as drift.
func (s *Site) Digests(ctx context.Context, entries []Entry) map[string]string {
	digests := map[string]string{}
	if s.Images == nil {
		return digests
	}
	var images []string
	for _, e := range entries {
		if _, listed := digests[e.Image]; !listed && !e.Orphan && e.Note(entity.NoteDigest) != "" {
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

// CheckPinned checks that an image can be pinned to a digest. A service runs images by tag, so the registry must have a
// tag for the digest that is never moved.
func (s *Site) CheckPinned(ctx context.Context, image, digest string) error {
	tag := entity.FixedTag(image, digest)
	tagDigest, err := s.Digest(ctx, tag, true)
	if err != nil && !fault.Is(err, fault.NotFound) || tagDigest == digest {
		return err
	}
	return fault.New(fault.Invalid,
		i18n.M("Image {{.Image}} cannot be pinned. Compute services run images by tag, and the registry does not contain this image under the fixed tag {{.Tag}}.", "Image", image, "Tag", tag),
		i18n.M("Also push the image as {{.Tag}}, or do not pin it.", "Tag", tag))
}

// Limits returns the limits for runtimes, read from the service if it reports them.
func (s *Site) Limits(ctx context.Context) lithops.Limits {
	ctx, cancel := context.WithTimeout(ctx, optionalTimeout)
	defer cancel()
	limits, err := s.Compute.ReadLimits(ctx)
	if err != nil {
		return s.Compute.Limits() // the service checks its own limits at registration
	}
	return limits
}

// Digest returns the digest that a tag points to. It returns "" if the registry does not respond in time. With pin, the
// digest is required, and a failure is an error.
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
		return "", nil //nolint:nilerr // an unknown digest does not count as drift
	}
	return digest, nil
}
