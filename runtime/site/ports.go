package site

import (
	"context"
	"io"
	"iter"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
)

// Store is the bucket that the Lithops client keeps its metadata and job data in.
type Store interface {
	// BucketExists reports whether the bucket is there (HEAD bucket).
	BucketExists(ctx context.Context) (bool, error)
	// CreateBucket makes the bucket; nil when it is there already and ours.
	CreateBucket(ctx context.Context) error
	// Get reads one object of at most 16 MiB; fault.NotFound when the object or the bucket is not there.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put writes one object. fault.NotFound when the bucket is not there.
	Put(ctx context.Context, key string, data []byte) error
	// Delete removes one object; nil when it was not there.
	Delete(ctx context.Context, key string) error
	// List reads the objects whose key starts with prefix, page after page, in key order. A bucket that is not there
	// has no objects.
	List(ctx context.Context, prefix string) iter.Seq2[entity.Object, error]
	// Purge deletes every object that the sweep selects.
	Purge(ctx context.Context, sweep entity.Sweep) (entity.Purged, error)
}

// Images builds, checks and pushes container images, and reads the digests of those in registries. Build reports its
// steps to the Observer.
type Images interface {
	Build(ctx context.Context, b entity.ImageBuild, progress io.Writer) (entity.ImageBuilt, error)
	// Digest returns what the image's tag points to, "sha256:..."; fault.NotFound. With soon nothing is asked twice: the
	// answer is welcome, and can be done without.
	Digest(ctx context.Context, image string, soon bool) (string, error)
	// Fingerprint tells from what the image would be built; the same as long as nothing in the folder changes.
	Fingerprint(ctx context.Context, b entity.ImageBuild) (string, error)
	// Superseded returns the images of this machine's engine that lost the name under which they were built.
	Superseded(ctx context.Context) ([]entity.SupersededImage, error)
	// Remove takes one of them out of the engine; nil when it was not there.
	Remove(ctx context.Context, old entity.SupersededImage) error
}

// Observer is told how the work goes on. Its methods may be called from several goroutines.
type Observer interface {
	// Begin starts a step: "Deploying runtime X in namespace Y...". The function returned ends it.
	Begin(step i18n.Message) (end func(err error))
	// Progress reports the counts of the current step; total 0 means unknown. unit is "" or "bytes".
	Progress(done, total int64, unit string)
	// Note says something that matters but stops nothing: a retry, a choice made, a warning.
	Note(text i18n.Message)
	// Warn says something that the user should act on.
	Warn(text i18n.Message)
}
