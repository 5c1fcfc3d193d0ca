package runtime

import (
	"context"
	"io"
	"iter"
	"time"

	"fn-runtime/runtime/entity"
)

// Functions is the compute service: what Apache OpenWhisk calls its API. A second service, such as IBM Code Engine,
// fits by implementing it in a folder of its own.
type Functions interface {
	Namespaces
	Packages
	Actions
	Invoker
}

// Namespaces finds, makes and removes namespaces. Plain OpenWhisk has exactly one per key.
type Namespaces interface {
	Namespaces(ctx context.Context) ([]entity.Namespace, error)
	CreateNamespace(ctx context.Context, name, resourceGroupID string) (entity.Namespace, error)
	DeleteNamespace(ctx context.Context, id string) error
}

// Packages lists, makes and removes packages. The sequence reads page after page as it is consumed; it ends after an
// error.
type Packages interface {
	Packages(ctx context.Context) iter.Seq2[entity.Package, error]
	// CreatePackage makes a package; created is false, without an error, when it was there already (409).
	CreatePackage(ctx context.Context, name string) (created bool, err error)
	DeletePackage(ctx context.Context, name string) error // fault.NotFound when it is not there
}

// Actions reads and writes actions. Action gives fault.NotFound for one that is not there; DeleteAction too.
type Actions interface {
	Actions(ctx context.Context, pkg string) iter.Seq2[entity.Action, error]
	Action(ctx context.Context, pkg, name string) (entity.Action, error)
	PutAction(ctx context.Context, a entity.Action, code entity.Code) error
	DeleteAction(ctx context.Context, pkg, name string) error
}

// Invoker runs actions. Invoke waits as long as the service blocks (60 s on OpenWhisk); an activation with Done false
// goes on and is read with Activation, which gives fault.NotFound until its record is there.
type Invoker interface {
	Invoke(ctx context.Context, pkg, action string, payload any) (entity.Activation, error)
	Activation(ctx context.Context, id string) (entity.Activation, error)
}

// Store is the bucket that the Lithops client keeps its metadata and job data in.
type Store interface {
	// BucketExists tells whether the bucket is there (HEAD bucket).
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
	// Purge deletes every object that Sweep selects: see Sweep.
	Purge(ctx context.Context, sweep Sweep) (Purged, error)
}

// Sweep says what Store.Purge deletes.
type Sweep = entity.Sweep

// Purged counts what Store.Purge deleted.
type Purged = entity.Purged

// Images builds, checks and pushes container images, and reads the digests of those in registries. Build reports its
// steps to the Observer.
type Images interface {
	Build(ctx context.Context, b entity.ImageBuild, progress io.Writer) (entity.ImageBuilt, error)
	Digest(ctx context.Context, image string) (string, error) // "sha256:..."; fault.NotFound
	// Fingerprint tells from what the image would be built; the same as long as nothing in the folder changes.
	Fingerprint(ctx context.Context, b entity.ImageBuild) (string, error)
}

// Clock tells and waits; tests bring their own.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}
