package openwhisk

import (
	"cmp"
	"context"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// Compute implements the compute port: a runtime is an action, in the package that the Lithops client looks in.
type Compute struct {
	client   *Client
	contract lithops.Contract
	settings lithops.Compute
	limits   lithops.Limits
	jobs     int

	asked sync.Once
	told  lithops.Limits
	err   error
}

// ComputeOptions says whose runtimes a Compute works on.
type ComputeOptions struct {
	Contract lithops.Contract
	Settings lithops.Compute // of the Lithops configuration: its keys tell which packages are the user's own
	Limits   lithops.Limits  // of the service where they are known; zero takes those of the backend
	Jobs     int             // requests at the same time; 0 chooses
}

// NewCompute makes the compute port of a client.
func NewCompute(c *Client, o ComputeOptions) *Compute {
	if o.Limits == (lithops.Limits{}) {
		o.Limits = lithops.LimitsOf(o.Contract.Backend)
	}
	return &Compute{client: c, contract: o.Contract, settings: o.Settings, limits: o.Limits, jobs: o.Jobs}
}

// What OpenWhisk calls its resources.
var (
	namespaceTerm = entity.Term{Word: "namespace", Text: i18n.M("Namespace")}
	packageTerm   = entity.Term{Word: "package", Text: i18n.M("Package")}
	actionTerm    = entity.Term{Word: "action", Text: i18n.M("Runtime")}
)

// Terms returns OpenWhisk's words.
func (c *Compute) Terms() entity.Terms {
	return entity.Terms{Scope: namespaceTerm, Runtime: actionTerm}
}

// Limits returns what the service lets a runtime have.
func (c *Compute) Limits() lithops.Limits { return c.limits }

// ReadLimits asks for the limits of the installation in the namespace, once. Those that it does not tell are as known.
func (c *Compute) ReadLimits(ctx context.Context) (lithops.Limits, error) {
	c.asked.Do(func() {
		var l limits
		l, c.err = c.client.limits(transport.With(ctx, transport.Call{Once: true}))
		c.told = c.limits
		c.told.MinMemoryMB = cmp.Or(l.MinMemoryMB, c.told.MinMemoryMB)
		c.told.MaxMemoryMB = cmp.Or(l.MaxMemoryMB, c.told.MaxMemoryMB)
		c.told.MaxTimeoutS = cmp.Or(l.MaxTimeoutMS/1000, c.told.MaxTimeoutS)
	})
	return c.told, c.err
}

// Scope returns the namespace; its id is "" until it is known.
func (c *Compute) Scope() entity.Scope { return c.client.Scope() }

// Namespace is its name, which keys of metadata have.
func (c *Compute) Namespace() string { return c.contract.Namespace }

// Scopes lists the namespaces that the credentials give access to.
func (c *Compute) Scopes(ctx context.Context) ([]entity.Scope, error) {
	return c.client.namespaces(ctx)
}

// FindScope finds the namespace; fault.NotFound when it does not exist.
func (c *Compute) FindScope(ctx context.Context) error { return c.client.Find(ctx) }

// CreateScope makes the namespace unless it is there.
func (c *Compute) CreateScope(ctx context.Context) error { return c.client.CreateNamespace(ctx) }

// DeleteScope removes the namespace with everything in it; nil when it is not there.
func (c *Compute) DeleteScope(ctx context.Context) error {
	return transport.ConfirmNotFound(c.client.Scope().Name, c.client.DeleteNamespace(ctx), func() error { return c.client.Find(ctx) })
}

// Needs returns what has to be in the namespace before a runtime is: the package.
func (c *Compute) RequiredResources() []entity.Resource {
	return []entity.Resource{{Term: packageTerm, Name: c.contract.Package()}}
}

// Has reports whether a package is there.
func (c *Compute) HasResource(ctx context.Context, t entity.Resource) (bool, error) {
	found, err := c.packages(ctx, func(name string) bool { return name == t.Name })
	return len(found) > 0, err
}

// Make makes a package; made is false when it was there.
func (c *Compute) CreateResource(ctx context.Context, t entity.Resource) (made bool, err error) {
	return c.client.CreatePackage(ctx, t.Name)
}

// Remove removes a package that is empty, or an action; nil when it is not there.
func (c *Compute) DeleteResource(ctx context.Context, t entity.Resource) error {
	if t.Term.Word == actionTerm.Word {
		return c.Unregister(ctx, idOf(t.Name))
	}
	return c.packageGone(ctx, t.Name, c.client.deletePackage(ctx, t.Name))
}

// DeleteUnused has nothing to do: packages stay, as the client leaves them.
func (c *Compute) DeleteUnused(context.Context) error { return nil }
