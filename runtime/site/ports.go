package site

import (
	"context"
	"io"
	"iter"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
)

// Store is the bucket that contains the metadata and job data of the Lithops client.
type Store interface {
	// BucketExists reports whether the bucket exists (HEAD bucket).
	BucketExists(ctx context.Context) (bool, error)
	// CreateBucket creates the bucket. It returns nil if the user already owns it.
	CreateBucket(ctx context.Context) error
	// Get reads one object of at most 16 MiB. It returns a fault.NotFound error if the object or the bucket does not
	// exist.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put writes one object. It returns a fault.NotFound error if the bucket does not exist.
	Put(ctx context.Context, key string, data []byte) error
	// Delete deletes one object. It returns nil if the object does not exist.
	Delete(ctx context.Context, key string) error
	// List returns the objects whose keys start with prefix, page by page, in key order. A missing bucket has no
	// objects.
	List(ctx context.Context, prefix string) iter.Seq2[entity.Object, error]
	// Purge deletes all objects selected by sweep.
	Purge(ctx context.Context, sweep entity.Sweep) (entity.Purged, error)
}

// Images builds, checks and pushes container images, and reads the digests of images in registries. Build reports its
// steps to the Observer.
type Images interface {
	Build(ctx context.Context, b entity.ImageBuild, progress io.Writer) (entity.ImageBuilt, error)
	// Digest returns the digest that the tag of an image points to, "sha256:...". It returns a fault.NotFound error if
	// the tag does not exist. With bestEffort it does not retry, because the caller does not require the digest.
	Digest(ctx context.Context, image string, bestEffort bool) (string, error)
	// Fingerprint returns a hash of the inputs of a build. It is constant as long as nothing in the directory changes.
	Fingerprint(ctx context.Context, b entity.ImageBuild) (string, error)
	// Superseded returns the images in the local container engine that lost their build tag to a newer image.
	Superseded(ctx context.Context) ([]entity.SupersededImage, error)
	// Remove deletes a superseded image from the engine. It returns nil if the image does not exist.
	Remove(ctx context.Context, old entity.SupersededImage) error
}

// Observer receives the progress of an operation. Its methods may be called concurrently.
type Observer interface {
	// Begin starts a step such as "Deploying runtime X in namespace Y...". The returned function ends the step.
	Begin(step i18n.Message) (end func(err error))
	// Progress reports the counts of the current step. A total of 0 means unknown. unit is "" or "bytes".
	Progress(done, total int64, unit string)
	// Note reports something that matters but does not stop the operation: a retry, a choice, a warning.
	Note(text i18n.Message)
	// Warn reports something that the user should act on.
	Warn(text i18n.Message)
}
