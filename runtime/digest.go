package runtime

import (
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/transport"
)

// digestWait bounds the question to a registry which digest a tag points to, unless the digest is needed to pin.
const digestWait = 3 * time.Second

// tagMoved says that the tag of a deployed image points to another digest now. A pinned runtime does not follow it by
// itself, nor by update.
func tagMoved(image string, pinned bool) i18n.Message {
	if pinned {
		return i18n.M("It is pinned, and the tag points to another image now. Follow it with 'ibmcloud fn-runtime deploy {{.Image}} --pin'.", "Image", image)
	}
	return i18n.M("The tag points to another image now.")
}

// hurried is for questions whose answer is welcome and not needed: they end soon, and nothing is asked twice.
func hurried(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(transport.With(ctx, transport.Call{Once: true}), digestWait)
}

// readDigests asks the registries what the tags point to now, once for each image that was deployed with a known
// digest. No answer is no drift.
func (s *Service) readDigests(ctx context.Context, entries []entry) map[string]string {
	digests := map[string]string{}
	if s.Images == nil {
		return digests
	}
	var images []string
	for _, e := range entries {
		if _, asked := digests[e.image]; !asked && !e.orphan && note(e.action, noteDigest) != "" {
			digests[e.image] = ""
			images = append(images, e.image)
		}
	}
	ctx, cancel := hurried(ctx)
	defer cancel()
	found, _ := parallel.Each(ctx, parallel.NewGroup(s.Jobs), images, s.Images.Digest)
	for i, image := range images {
		digests[image] = found[i]
	}
	return digests
}
