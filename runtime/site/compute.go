package site

import (
	"context"
	"iter"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
)

// Compute is a service that runs Lithops runtimes. Its methods describe what an operation needs. The adapter decides
// how the service implements it, with packages and actions, or with jobs, config maps and secrets. The adapter adds
// service-specific objects to plans as Resources, with the service's own terms.
//
// Reading an object that does not exist returns a fault.NotFound error. Deleting one is not an error.
type Compute interface {
	Scope
	Registry
	Resources
	Caller
	// Terms returns the service's terms for a scope and a runtime.
	Terms() entity.Terms
	// Limits returns the limits for runtimes that are known without a request.
	Limits() lithops.Limits
	// ReadLimits reads the limits from the service, once.
	ReadLimits(ctx context.Context) (lithops.Limits, error)
}

// Scope is the namespace or project that contains the runtimes of the target.
type Scope interface {
	// Scope returns the name of the scope and, once known, its ID.
	Scope() entity.Scope
	// Namespace returns the name of the scope in keys of metadata. While it is unknown, it returns a value that no key
	// contains.
	Namespace() string
	// Scopes lists all scopes that the credentials can access.
	Scopes(ctx context.Context) ([]entity.Scope, error)
	// FindScope looks up the scope. It returns a fault.NotFound error if the scope does not exist yet.
	FindScope(ctx context.Context) error
	// CreateScope creates the scope in the target's resource group unless it exists. The scope is usable when
	// CreateScope returns.
	CreateScope(ctx context.Context) error
	// DeleteScope deletes the scope with all its content, and the data about it on this machine. It returns nil if the
	// scope does not exist.
	DeleteScope(ctx context.Context) error
}

// Registry registers and lists runtimes.
type Registry interface {
	// Runtimes lists all runtimes that Lithops may have created, of every release and user key, and other objects that
	// the listing returns. The listing is empty if the scope does not exist. The number of requests grows with the
	// number of pages; it also grows with the number of runtimes whose notes do not contain the image.
	Runtimes(ctx context.Context) (entity.Listing, error)
	// Runtime reads one runtime with its image and all its notes. It returns a fault.NotFound error if it does not
	// exist.
	Runtime(ctx context.Context, id entity.ID) (entity.Registered, error)
	// Register creates or updates a runtime with the given code. If the service reports that required resources no
	// longer exist, Register creates them first. Notes of other tools are kept, and the notes of this program are
	// replaced. It returns the runtime as the service stored it, with its revision. The returned Reference differs from
	// the given one only if the service runs another image.
	Register(ctx context.Context, r entity.Registered, code lithops.Bundle) (entity.Registered, error)
	// Unregister deletes a runtime. It returns nil if the runtime certainly does not exist.
	Unregister(ctx context.Context, id entity.ID) error
}

// Resources manages the objects of a service other than its runtimes.
type Resources interface {
	// RequiredResources returns the objects that must exist before a runtime is registered, in the order of their
	// creation. It sends no requests.
	RequiredResources() []entity.Resource
	// HasResource reports whether an object exists in an existing scope.
	HasResource(ctx context.Context, t entity.Resource) (bool, error)
	// CreateResource creates an object. It returns false without an error if the object exists. It may be called before
	// it is known whether a runtime will be registered, so it must be harmless if none is.
	CreateResource(ctx context.Context, t entity.Resource) (created bool, err error)
	// Leftovers returns everything in the scope that Clean deletes for this user key, including runtimes. The groups
	// must be deleted one after the other; the objects of a group can be deleted concurrently.
	Leftovers(ctx context.Context) ([][]entity.Resource, error)
	// DeleteResource deletes an object returned by RequiredResources or Leftovers. It returns nil if the object
	// certainly does not exist, and a fault.Conflict error if it is still in use.
	DeleteResource(ctx context.Context, t entity.Resource) error
	// DeleteUnused deletes objects of re-registered or unregistered runtimes that no other runtime uses. It is called
	// once after such changes.
	DeleteUnused(ctx context.Context) error
}

// Caller invokes runtimes and reads their activations.
type Caller interface {
	// Call invokes a runtime for its metadata, as the client does, and waits for the activation until ctx ends. It
	// returns a fault.NotFound error if the runtime does not exist. A failure inside the runtime is reported in the
	// activation, not as an error. If runtimes store their metadata instead of returning it, Call reads it into the
	// Result.
	Call(ctx context.Context, id entity.ID) (entity.Activation, error)
	// GetActivation reads the record of an activation by its ID. A service may store the logs only after the end of the
	// activation. GetActivation returns a fault.NotFound error while there is no record.
	GetActivation(ctx context.Context, id string) (entity.Activation, error)
	// ListActivations returns the activations of every runtime since the given time, newest first and page by page,
	// regardless of who started them. A zero time returns all activations that the service keeps. Waiting and running
	// activations (not Done) are included if the service lists them. Logs and results are included only if withLogs is
	// set and the service lists them; GetActivation returns the rest. There are no activations if the scope does not
	// exist.
	ListActivations(ctx context.Context, since time.Time, withLogs bool) iter.Seq2[entity.Activation, error]
}
