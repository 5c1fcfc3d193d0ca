// Package codeengine is the REST API of IBM Cloud Code Engine, version 2, as far as jobs need it, and the token call of
// IBM's identity service: projects, jobs, job runs, config maps and secrets.
//
// What may go in: paths, documents, limits, status codes and error texts of these APIs, and the life of a job run. What may
// not: storage, sockets and TLS, how processes and containers are made. A job run's instances are activations of the
// invoker, whose action (runner.py) starts the command of the job.
//
// What IBM's own service says where nobody has seen it say anything, codes of errors above all, is a guess.
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

// regions are those of the service.
var regions = []string{"us-south", "us-east", "ca-tor", "eu-de", "eu-gb", "eu-es", "in-che", "jp-osa", "jp-tok", "br-sao", "au-syd"}

// Hosts are the names under which the service is called, which clients do not let anybody change.
func Hosts() []string {
	hosts := []string{IAMHost}
	for _, region := range regions {
		hosts = append(hosts, "api."+region+".codeengine.cloud.ibm.com")
	}
	return hosts
}

// regionOf returns the region of a host, which may have a port; "" of any other name.
func regionOf(host string) string {
	host, _, _ = strings.Cut(host, ":")
	region, ok := strings.CutPrefix(host, "api.")
	region, of := strings.CutSuffix(region, ".codeengine.cloud.ibm.com")
	if !ok || !of || !slices.Contains(regions, region) {
		return ""
	}
	return region
}

// Config is what the API needs to know.
type Config struct {
	DB      *state.DB
	Invoker invoke.Invoker
	APIKey  string // what the token call takes
	Token   string // for Bearer, beside the tokens of the token call; their key too
	Python  string // interpreter of instances that run as processes
	Extra   map[string]string
	Temp    string // folder of bodies and answers on their way; "" the system's
	Log     *slog.Logger
	Now     func() time.Time
}

type api struct {
	Config
	mux    *http.ServeMux
	turns  slots.Pool
	tasks  *background.Work    // runs
	mu     sync.Mutex          // guards what follows
	live   map[string]*run     // by id, until it is recorded how they ended
	places *semaphore.Weighted // instances in the hands of the invoker
}

// API serves the paths below /v2 of the hosts of Code Engine, and /identity/token of IAMHost.
type API struct{ api *api }

// New makes an API and settles the runs that a killed endpoint left unfinished. Close ends its runs.
func New(c Config) (*API, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &api{Config: c, mux: http.NewServeMux(), turns: slots.New(), tasks: background.New(), live: map[string]*run{}, places: semaphore.NewWeighted(int64(max(16, 4*runtime.NumCPU())))}
	a.routes()
	return &API{a}, a.recover()
}

// Running is the number of runs that have not ended.
func (x *API) Running() int {
	x.api.mu.Lock()
	defer x.api.mu.Unlock()
	return len(x.api.live)
}

// Close waits until ctx ends for runs, then kills them and records that.
func (x *API) Close(ctx context.Context) { x.api.tasks.Close(ctx) }

// Admits reports whether the credentials of a request are right; the token call brings them in its body, which it may send.
func (x *API) Admits(r *http.Request) bool {
	return r.Host == IAMHost || r.Host == IAMHost+":443" || x.api.admits(r)
}

func (x *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Transaction-Id", "codeengine-api-"+strings.ToLower(rand.Text()))
	switch host, _, _ := strings.Cut(r.Host, ":"); {
	case host == IAMHost:
		x.api.token(w, r)
	case regionOf(host) == "":
		x.api.fail(w, r, errMissing)
	case !x.Admits(r):
		x.api.fail(w, r, errUnauthorized)
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
	turn    *slots.Slot
}

type methods map[string]func(call) error

func (a *api) routes() {
	a.handle("/v2/projects", nil, methods{"GET": a.listProjects, "POST": a.createProject})
	a.handle("/v2/projects/{project}", nil, methods{"GET": a.getProject, "DELETE": a.deleteProject})
	a.handle("/v2/projects/{project}/status_details", nil, methods{"GET": a.projectStatus})
	for _, k := range []*kind{a.jobs(), a.runs(), a.configMaps(), a.secrets()} {
		a.handle("/v2/projects/{project}/"+k.path, k, methods{"GET": a.list, "POST": a.create})
		one := methods{"GET": a.get, "DELETE": a.remove}
		if k.change != "" {
			one[k.change] = a.update
		}
		a.handle("/v2/projects/{project}/"+k.path+"/{name}", k, one)
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, errMissing) })
}

func (a *api) handle(path string, k *kind, m methods) {
	a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		err := error(&problem{http.StatusMethodNotAllowed, "method_not_allowed", "The method is not allowed for this resource."})
		if fn := m[r.Method]; fn != nil {
			var c call
			if c, err = a.locate(w, r, k); err == nil {
				err = a.serve(c, fn)
			}
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// serve receives the body, then answers the request in its turn: a resource may have a megabyte, and a list a hundred of them.
func (a *api) serve(c call, fn func(call) error) error {
	c.body = &spool.Spool{Disk: a.DB.Disk(), Folder: a.Temp}
	defer c.body.Close()
	if _, err := io.Copy(c.body, http.MaxBytesReader(c.w, c.r.Body, maxBody)); err != nil {
		return err
	}
	c.turn = a.turns.Turn()
	defer c.turn.End()
	if err := c.turn.Acquire(c.r.Context()); err != nil {
		return err
	}
	return fn(c)
}

// locate finds the project of a path, in the region that the host names.
func (a *api) locate(w http.ResponseWriter, r *http.Request, k *kind) (call, error) {
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
	return c, errMissing
}
