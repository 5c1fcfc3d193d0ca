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

// Compute implements site.Compute. A runtime is an action in the package that the Lithops client uses.
type Compute struct {
	client   *Client
	contract lithops.Contract
	settings lithops.Compute
	limits   lithops.Limits
	jobs     int

	limitsOnce sync.Once // guards the request for the limits of the installation
	installed  lithops.Limits
	err        error // of that request
}

// ComputeOptions defines whose runtimes a Compute manages.
type ComputeOptions struct {
	Contract lithops.Contract
	Settings lithops.Compute // of the Lithops configuration; its keys determine the packages of the user
	Limits   lithops.Limits  // of the service; zero selects the limits of the backend
	Jobs     int             // number of concurrent requests; 0 selects the default
}

// NewCompute returns a Compute that uses the client c.
func NewCompute(c *Client, o ComputeOptions) *Compute {
	if o.Limits == (lithops.Limits{}) {
		o.Limits = lithops.LimitsOf(o.Contract.Backend)
	}
	return &Compute{client: c, contract: o.Contract, settings: o.Settings, limits: o.Limits, jobs: o.Jobs}
}

// The terms of OpenWhisk for its resources.
var (
	namespaceTerm = entity.Term{Word: "namespace", Text: i18n.M("Namespace")}
	packageTerm   = entity.Term{Word: "package", Text: i18n.M("Package")}
	actionTerm    = entity.Term{Word: "action", Text: i18n.M("Runtime")}
)

// Terms returns the terms of OpenWhisk.
func (c *Compute) Terms() entity.Terms {
	return entity.Terms{Scope: namespaceTerm, Runtime: actionTerm}
}

// Limits returns the known limits of the service for runtimes.
func (c *Compute) Limits() lithops.Limits { return c.limits }

// ReadLimits requests the limits that the installation sets for the namespace, once. For limits that the installation
// does not report it returns the known values.
func (c *Compute) ReadLimits(ctx context.Context) (lithops.Limits, error) {
	c.limitsOnce.Do(func() {
		var l limits
		l, c.err = c.client.limits(transport.With(ctx, transport.Call{NoRetry: true}))
		c.installed = c.limits
		c.installed.MinMemoryMB = cmp.Or(l.MinMemoryMB, c.installed.MinMemoryMB)
		c.installed.MaxMemoryMB = cmp.Or(l.MaxMemoryMB, c.installed.MaxMemoryMB)
		c.installed.MaxTimeoutS = cmp.Or(l.MaxTimeoutMS/1000, c.installed.MaxTimeoutS)
	})
	return c.installed, c.err
}

// Scope returns the namespace. Its ID is empty until it has been looked up.
func (c *Compute) Scope() entity.Scope { return c.client.Scope() }

// Namespace returns the name of the namespace, which metadata keys contain.
func (c *Compute) Namespace() string { return c.contract.Namespace }

// Scopes returns the namespaces that the credentials can access.
func (c *Compute) Scopes(ctx context.Context) ([]entity.Scope, error) {
	return c.client.namespaces(ctx)
}

// FindScope looks up the namespace. It returns a fault.NotFound error if the namespace does not exist.
func (c *Compute) FindScope(ctx context.Context) error { return c.client.Find(ctx) }

// CreateScope creates the namespace if it does not exist.
func (c *Compute) CreateScope(ctx context.Context) error { return c.client.ensureNamespace(ctx) }

// DeleteScope deletes the namespace with all its content. It returns nil if the namespace does not exist.
func (c *Compute) DeleteScope(ctx context.Context) error {
	return transport.ConfirmNotFound(c.client.Scope().Name, c.client.deleteCurrentNamespace(ctx), func() error { return c.client.Find(ctx) })
}

// RequiredResources returns the resources that must exist before a runtime is registered: the package.
func (c *Compute) RequiredResources() []entity.Resource {
	return []entity.Resource{{Term: packageTerm, Name: c.contract.Package()}}
}

// HasResource reports whether a package exists.
func (c *Compute) HasResource(ctx context.Context, t entity.Resource) (bool, error) {
	found, err := c.packages(ctx, func(name string) bool { return name == t.Name })
	return len(found) > 0, err
}

// CreateResource creates a package. It returns false if the package exists.
func (c *Compute) CreateResource(ctx context.Context, t entity.Resource) (created bool, err error) {
	return c.client.CreatePackage(ctx, t.Name)
}

// DeleteResource deletes an empty package or an action. It returns nil if the resource does not exist.
func (c *Compute) DeleteResource(ctx context.Context, t entity.Resource) error {
	if t.Term.Word == actionTerm.Word {
		return c.Unregister(ctx, parseID(t.Name))
	}
	return c.ignoreMissingPackage(ctx, t.Name, c.client.deletePackage(ctx, t.Name))
}

// DeleteUnused does nothing. As in the Lithops client, packages are kept.
func (c *Compute) DeleteUnused(context.Context) error { return nil }
