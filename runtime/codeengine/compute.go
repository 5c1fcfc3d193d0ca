package codeengine

import (
	"context"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// Compute implements site.Compute. A runtime is a job with the name that the Lithops client uses.
type Compute struct {
	client      *Client
	o           ComputeOptions
	secret      once // done if the registry secret exists
	swept       once // done if the resources of abandoned metadata runs have been deleted
	mu          sync.Mutex
	code        map[string]*once  // done for config maps with code that exist, by name
	codeData    map[string]string // content of config maps with code in Base64, by name
	jobCode     map[string]string // config maps with the code of the known jobs, by job name
	maybeUnused map[string]bool   // config maps with code that may have lost their last job
	ownRuns     map[string]bool   // metadata runs of this command
}

// ComputeOptions defines whose runtimes a Compute manages.
type ComputeOptions struct {
	Contract lithops.Contract // the namespace is set when the project is found
	Settings lithops.Compute  // of the Lithops configuration
	Limits   lithops.Limits   // of the service
	// Namespace returns the namespace that the client uses in metadata keys for a project ID.
	Namespace func(id string) string
	// Bucket stores the metadata of runs. It is nil if no operation of the command needs it.
	Bucket Bucket
	// Payload returns the payload for a worker: how to access the bucket, and the name for its metadata. See
	// lithops.JobPayload.
	Payload func(name string) (string, error)
}

// Bucket is the part of site.Store that is used here.
type Bucket interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Delete(ctx context.Context, key string) error
}

// NewCompute returns a Compute that uses the client c.
func NewCompute(c *Client, o ComputeOptions) *Compute {
	return &Compute{client: c, o: o, code: map[string]*once{}, codeData: map[string]string{}, jobCode: map[string]string{}, maybeUnused: map[string]bool{}, ownRuns: map[string]bool{}}
}

// once runs a function until it has succeeded once.
type once struct {
	mu   sync.Mutex
	done bool
}

func (o *once) do(work func() error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return nil
	}
	err := work()
	o.done = err == nil
	return err
}

// The terms of Code Engine for its resources.
var (
	projectTerm   = entity.Term{Word: "project", Text: i18n.M("Project")}
	jobTerm       = entity.Term{Word: "job", Text: i18n.M("Runtime")}
	runTerm       = entity.Term{Word: "job_run", Text: i18n.M("Job run")}
	configMapTerm = entity.Term{Word: "config_map", Text: i18n.M("Config map")}
	secretTerm    = entity.Term{Word: "secret", Text: i18n.M("Secret")}
)

// Terms returns the terms of Code Engine.
func (c *Compute) Terms() entity.Terms {
	return entity.Terms{Scope: projectTerm, Runtime: jobTerm,
		DeleteWarning: i18n.M("Code Engine keeps a deleted project for seven days. Its name cannot be reused until then.")}
}

// Limits returns the limits of the service for runtimes.
func (c *Compute) Limits() lithops.Limits { return c.o.Limits }

// ReadLimits returns the same limits as Limits because they do not depend on the installation.
func (c *Compute) ReadLimits(context.Context) (lithops.Limits, error) { return c.o.Limits, nil }

// Scope returns the project. Its ID is empty until it has been looked up.
func (c *Compute) Scope() entity.Scope { return c.client.scope() }

// unknownProjectID replaces the ID of a missing project in metadata keys.
const unknownProjectID = "PROJECT-ID"

// Namespace returns the namespace that the client uses in metadata keys.
func (c *Compute) Namespace() string {
	if id := c.client.scope().ID; id != "" {
		return c.o.Namespace(id)
	}
	return unknownProjectID
}

func (c *Compute) contract() lithops.Contract {
	contract := c.o.Contract
	contract.Namespace = c.Namespace()
	return contract
}

// Scopes returns the projects that the credentials can access.
func (c *Compute) Scopes(ctx context.Context) ([]entity.Scope, error) {
	docs, err := c.client.projects(ctx)
	scopes := make([]entity.Scope, len(docs))
	for i, p := range docs {
		scopes[i] = entity.Scope{ID: p.ID, Name: p.Name}
	}
	return scopes, err
}

// FindScope looks up the project. It returns a fault.NotFound error if the project does not exist.
func (c *Compute) FindScope(ctx context.Context) error { return c.client.find(ctx) }

// CreateScope creates the project if it does not exist, and waits until it is active.
func (c *Compute) CreateScope(ctx context.Context) error { return c.client.ensureProject(ctx) }

// DeleteScope deletes the project with all its content. It returns nil if the project does not exist.
func (c *Compute) DeleteScope(ctx context.Context) error {
	return transport.ConfirmNotFound(c.client.scope().Name, c.client.removeProject(ctx), func() error { return c.client.find(ctx) })
}
