package site

import (
	"context"
	"iter"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
)

// Compute is a service that Lithops runtimes are registered with. It speaks of what the operations mean by them. How the
// service does it, in packages and actions, or jobs, config maps and secrets, is the business of the adapter: what it
// needs beside the runtimes it contributes to plans as Things, in its own words.
//
// A name that is not there is a fault.NotFound where it is read, and nothing to complain of where it is removed.
type Compute interface {
	Scope
	Registry
	Resources
	Caller
	// Terms returns the service's words for a place and a runtime.
	Terms() entity.Terms
	// Limits returns what the service lets a runtime have, as far as is known without asking.
	Limits() lithops.Limits
	// ReadLimits asks the service for them, once.
	ReadLimits(ctx context.Context) (lithops.Limits, error)
}

// Scope is what holds the runtimes of the target: a namespace, a project.
type Scope interface {
	// Scope returns the name and, once it is known, the id.
	Scope() entity.Scope
	// Namespace is what stands for the place in keys of metadata; something that no key has while it is not known.
	Namespace() string
	// Places lists all that the credentials give access to.
	Scopes(ctx context.Context) ([]entity.Scope, error)
	// FindScope finds the place when an operation needs it; fault.NotFound when it does not exist yet.
	FindScope(ctx context.Context) error
	// CreateScope makes it, in the target's resource group, unless it is there; it can be used when this returns.
	CreateScope(ctx context.Context) error
	// DeleteScope removes it with everything in it, and what this machine remembers of it; nil when it is not there.
	DeleteScope(ctx context.Context) error
}

// Registry holds the runtimes.
type Registry interface {
	// Runtimes lists what Lithops can have named, of every release and user key, and the Things that were seen on the
	// way; nothing when the place is not there. Requests grow with pages, not with runtimes that say their image.
	Runtimes(ctx context.Context) (entity.Listing, error)
	// Runtime reads one runtime with its image and all its notes; fault.NotFound.
	Runtime(ctx context.Context, id entity.ID) (entity.Registered, error)
	// Register makes a runtime or brings it to what is given; code is what it runs. Things that are not there any more
	// are made first, where the service can tell. Notes of others stay, ours are those given. It returns the runtime as
	// the service stored it, with its revision; Reference is as given unless another image runs.
	Register(ctx context.Context, r entity.Registered, code lithops.Bundle) (entity.Registered, error)
	// Unregister removes a runtime; nil when it is certainly not there.
	Unregister(ctx context.Context, id entity.ID) error
}

// Resources are what a service has beside its runtimes.
type Resources interface {
	// Needs returns what has to be in the place before a runtime is, in the order in which it is made. It asks nobody.
	RequiredResources() []entity.Resource
	// Has reports whether one of them is there, in a place that is.
	HasResource(ctx context.Context, t entity.Resource) (bool, error)
	// Make makes one of them; made is false, without an error, when it was there already. It is called before it is
	// known whether anything will be registered, and is harmless then.
	CreateResource(ctx context.Context, t entity.Resource) (made bool, err error)
	// Leftovers returns everything in the place that Clean removes for this user's key, runtimes among it: groups that go
	// one after the other, the resources of a group side by side.
	Leftovers(ctx context.Context) ([][]entity.Resource, error)
	// Remove removes something that Needs or Leftovers gave; nil when it is certainly not there, fault.Conflict when
	// somebody else has need of it meanwhile.
	DeleteResource(ctx context.Context, t entity.Resource) error
	// DeleteUnused removes what runtimes had need of that were registered anew or removed, and no other one has. It is called once
	// after such work.
	DeleteUnused(ctx context.Context) error
}

// Caller calls runtimes.
type Caller interface {
	// Call asks a runtime for its metadata, as the client does, and waits for the answer until ctx ends; fault.NotFound
	// when the runtime is not there. A call that fails in the runtime is an activation, not an error. A service whose
	// runtimes do not answer, but leave their metadata somewhere, fetches it for the Result.
	Call(ctx context.Context, id entity.ID) (entity.Activation, error)
	// GetActivation reads what the service keeps of a call by its id, for logs that come after its end; fault.NotFound while
	// there is nothing yet.
	GetActivation(ctx context.Context, id string) (entity.Activation, error)
	// ListActivations returns the calls of every runtime since then, newest first and page after page, whoever made them; zero since
	// is all that is kept. Those that wait or run are among them, not Done, where the service tells of them. Logs and
	// results are in them only with whole, and then as far as a list of the service has them: GetActivation has the rest.
	// Nothing when the place is not there.
	ListActivations(ctx context.Context, since time.Time, whole bool) iter.Seq2[entity.Activation, error]
}
