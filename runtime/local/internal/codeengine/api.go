// Package codeengine implements the parts of the IBM Cloud Code Engine API, version 2, that jobs need, and the token
// call of IBM Cloud IAM. The resources are projects, jobs, job runs, config maps and secrets.
//
// The package contains the paths, documents, limits, status codes and error texts of these APIs, and the life cycle of
// job runs. It does not contain storage, sockets and TLS, or the creation of processes and containers. The instances of
// a job run are activations of the invoker. Their action (runner.py) starts the command of the job.
//
// Some responses of the real service, mainly error codes, are not documented. Here they are guesses.
package codeengine

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"fn-runtime/runtime/local/internal/background"
	"fn-runtime/runtime/local/internal/slots"
	"fn-runtime/runtime/local/internal/spool"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// IAMHost is the host of the token call.
const IAMHost = "iam.cloud.ibm.com"

// regions are the regions of the service.
var regions = []string{"us-south", "us-east", "ca-tor", "eu-de", "eu-gb", "eu-es", "in-che", "jp-osa", "jp-tok", "br-sao", "au-syd"}

// Hosts returns the host names of the service. Clients have no setting to change them.
func Hosts() []string {
	hosts := []string{IAMHost}
	for _, region := range regions {
		hosts = append(hosts, "api."+region+".codeengine.cloud.ibm.com")
	}
	return hosts
}

// regionOf returns the region of a host name with or without a port, or "" if the host does not belong to the service.
func regionOf(host string) string {
	host, _, _ = strings.Cut(host, ":")
	region, ok := strings.CutPrefix(host, "api.")
	region, of := strings.CutSuffix(region, ".codeengine.cloud.ibm.com")
	if !ok || !of || !slices.Contains(regions, region) {
		return ""
	}
	return region
}

// Config configures an API.
type Config struct {
	DB       *state.DB
	Invoker  invoke.Invoker
	APIKey   string // API key that the token call accepts
	Token    string // bearer token, accepted in addition to the tokens of the token call; also the key that signs those tokens
	Python   string // interpreter of instances that run as processes
	ExtraEnv map[string]string
	Temp     string // directory for buffered bodies and responses; "" means the system default
	Log      *slog.Logger
	Now      func() time.Time
}

type api struct {
	Config
	mux           *http.ServeMux
	slotPool      slots.Pool
	tasks         *background.Tasks   // active runs
	mu            sync.Mutex          // guards activeRuns
	activeRuns    map[string]*run     // by ID, until their end is recorded
	instanceSlots *semaphore.Weighted // limits the instances that the invoker runs concurrently
}

// API serves the paths below /v2 of the Code Engine hosts, and /identity/token of IAMHost.
type API struct{ api *api }

// New creates an API, and records the runs that a killed endpoint left unfinished as failed. Call Close to end its
// runs.
func New(c Config) (*API, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &api{Config: c, mux: http.NewServeMux(), slotPool: slots.New(), tasks: background.New(), activeRuns: map[string]*run{}, instanceSlots: semaphore.NewWeighted(int64(max(16, 4*runtime.NumCPU())))}
	a.routes()
	return &API{a}, a.recover()
}

// Running returns the number of runs that have not ended.
func (x *API) Running() int {
	x.api.mu.Lock()
	defer x.api.mu.Unlock()
	return len(x.api.activeRuns)
}

// Close waits for runs until ctx is done. It then kills the remaining ones and records that.
func (x *API) Close(ctx context.Context) { x.api.tasks.Close(ctx) }

// Admits reports whether a request has valid credentials. It admits all token calls, whose credentials are in the body.
func (x *API) Admits(r *http.Request) bool {
	return r.Host == IAMHost || r.Host == IAMHost+":443" || x.api.isAuthenticated(r)
}

func (x *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Transaction-Id", "codeengine-api-"+strings.ToLower(rand.Text()))
	switch host, _, _ := strings.Cut(r.Host, ":"); {
	case host == IAMHost:
		x.api.token(w, r)
	case regionOf(host) == "":
		x.api.respondError(w, r, errNotFound)
	case !x.Admits(r):
		x.api.respondError(w, r, errUnauthorized)
	default:
		x.api.mux.ServeHTTP(w, r)
	}
}

// call is one request.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	region  string
	project state.Project
	kind    *kind
	name    string
	body    *spool.Spool
	slot    *slots.Slot
}

type methods map[string]func(call) error

func (a *api) routes() {
	a.handle("/v2/projects", nil, methods{"GET": a.listProjects, "POST": a.createProject})
	a.handle("/v2/projects/{project}", nil, methods{"GET": a.getProject, "DELETE": a.deleteProject})
	a.handle("/v2/projects/{project}/status_details", nil, methods{"GET": a.projectStatus})
	for _, k := range []*kind{a.jobs(), a.runs(), a.configMaps(), a.secrets()} {
		a.handle("/v2/projects/{project}/"+k.path, k, methods{"GET": a.list, "POST": a.create})
		one := methods{"GET": a.get, "DELETE": a.remove}
		if k.updateMethod != "" {
			one[k.updateMethod] = a.update
		}
		a.handle("/v2/projects/{project}/"+k.path+"/{name}", k, one)
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.respondError(w, r, errNotFound) })
}

// handle registers the handlers of a path.
func (a *api) handle(path string, k *kind, m methods) {
	a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		err := error(&apiError{http.StatusMethodNotAllowed, "method_not_allowed", "The method is not allowed for this resource."})
		if fn := m[r.Method]; fn != nil {
			var c call
			if c, err = a.newCall(w, r, k); err == nil {
				err = a.serve(c, fn)
			}
		}
		if err != nil {
			a.respondError(w, r, err)
		}
	})
}

// serve receives the body, then waits for a slot and handles the request. Slots limit the memory: a resource may have
// one megabyte, and a list one hundred resources.
func (a *api) serve(c call, fn func(call) error) error {
	c.body = &spool.Spool{Disk: a.DB.Disk(), Dir: a.Temp}
	defer c.body.Close()
	if _, err := io.Copy(c.body, http.MaxBytesReader(c.w, c.r.Body, maxBody)); err != nil {
		return err
	}
	c.slot = a.slotPool.NewSlot()
	defer c.slot.Release()
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	return fn(c)
}

// newCall returns the call of a request with the project of its path, in the region of its host.
func (a *api) newCall(w http.ResponseWriter, r *http.Request, k *kind) (call, error) {
	c := call{w: w, r: r, region: regionOf(r.Host), kind: k, name: r.PathValue("name")}
	id := r.PathValue("project")
	if id == "" {
		return c, nil
	}
	all, err := a.DB.Projects()
	if err != nil {
		return c, err
	}
	for _, p := range all {
		if p.ID == id && p.Region == c.region && p.Deleted == 0 {
			c.project = p
			return c, nil
		}
	}
	return c, errNotFound
}
