package codeengine

import (
	"context"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// Compute implements the compute port: a runtime is a job of the name that the Lithops client looks for.
type Compute struct {
	client  *Client
	o       ComputeOptions
	secret  once // the registry secret is there
	swept   once // what runs for metadata left behind is removed
	mu      sync.Mutex
	code    map[string]*once  // config maps of code that are there, by name
	kept    map[string]string // what is in them, in base64
	used    map[string]string // the config map of each job that was seen, by its name
	suspect map[string]bool   // config maps of code that may have lost their last job
	own     map[string]bool   // runs for metadata that this command makes
}

// ComputeOptions says whose runtimes a Compute works on.
type ComputeOptions struct {
	Contract lithops.Contract // its namespace is found with the project
	Settings lithops.Compute  // of the Lithops configuration
	Limits   lithops.Limits   // of the service
	// Namespace returns what the client has in its keys of metadata, for the id of the project.
	Namespace func(id string) string
	// Bucket keeps the metadata that runs leave; nil where no operation of the command needs it.
	Bucket Bucket
	// Payload tells a worker how to reach the bucket, and as what to leave its metadata there: see lithops.JobPayload.
	Payload func(name string) (string, error)
}

// Bucket is what is needed of the store: see site.Store.
type Bucket interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Delete(ctx context.Context, key string) error
}

// NewCompute makes the compute port of a client.
func NewCompute(c *Client, o ComputeOptions) *Compute {
	return &Compute{client: c, o: o, code: map[string]*once{}, kept: map[string]string{}, used: map[string]string{}, suspect: map[string]bool{}, own: map[string]bool{}}
}

// once does something until it has succeeded.
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

// What Code Engine calls its things.
var (
	projectTerm   = entity.Term{Word: "project", Text: i18n.M("Project")}
	jobTerm       = entity.Term{Word: "job", Text: i18n.M("Runtime")}
	runTerm       = entity.Term{Word: "job_run", Text: i18n.M("Job run")}
	configMapTerm = entity.Term{Word: "config_map", Text: i18n.M("Config map")}
	secretTerm    = entity.Term{Word: "secret", Text: i18n.M("Secret")}
)

// Terms returns Code Engine's words.
func (c *Compute) Terms() entity.Terms {
	return entity.Terms{Scope: projectTerm, Runtime: jobTerm,
		Removal: i18n.M("Code Engine keeps a deleted project for seven days. Its name cannot be reused until then.")}
}

// Limits returns what the service lets a runtime have.
func (c *Compute) Limits() lithops.Limits { return c.o.Limits }

// ReadLimits returns the same: they are the service's, not an installation's.
func (c *Compute) ReadLimits(context.Context) (lithops.Limits, error) { return c.o.Limits, nil }

// Scope returns the project; its id is "" until it is known.
func (c *Compute) Scope() entity.Scope { return c.client.place() }

// unmade stands in keys of metadata for the id of a project that is not there yet.
const unmade = "PROJECT-ID"

// Namespace is what the client has in its keys of metadata.
func (c *Compute) Namespace() string {
	if id := c.client.place().ID; id != "" {
		return c.o.Namespace(id)
	}
	return unmade
}

func (c *Compute) contract() lithops.Contract {
	contract := c.o.Contract
	contract.Namespace = c.Namespace()
	return contract
}

// Scopes lists the projects that the credentials give access to.
func (c *Compute) Scopes(ctx context.Context) ([]entity.Scope, error) {
	docs, err := c.client.projects(ctx)
	places := make([]entity.Scope, len(docs))
	for i, p := range docs {
		places[i] = entity.Scope{ID: p.ID, Name: p.Name}
	}
	return places, err
}

// FindScope finds the project; fault.NotFound when it does not exist.
func (c *Compute) FindScope(ctx context.Context) error { return c.client.find(ctx) }

// CreateScope makes the project unless it is there, and waits until it can be used.
func (c *Compute) CreateScope(ctx context.Context) error { return c.client.makeProject(ctx) }

// DeleteScope removes the project with everything in it; nil when it is not there.
func (c *Compute) DeleteScope(ctx context.Context) error {
	return transport.ConfirmNotFound(c.client.place().Name, c.client.removeProject(ctx), func() error { return c.client.find(ctx) })
}
