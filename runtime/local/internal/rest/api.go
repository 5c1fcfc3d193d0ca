// Package rest is the OpenWhisk REST API of the local endpoint, in plain OpenWhisk's and in IBM Cloud Functions' form.
//
// What may go in: paths, documents, limits, status codes and error texts of that API. What may not: storage, the
// running of actions, sockets.
package rest

import (
	"context"
	"crypto/hmac"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"fn-runtime/runtime/local/internal/background"
	"fn-runtime/runtime/local/internal/slots"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// DefaultNamespace is the namespace that every endpoint has, as a fresh OpenWhisk does.
const DefaultNamespace = "guest"

// Config is what the API needs to know.
type Config struct {
	DB          *state.DB
	Invoker     invoke.Invoker
	APIKey      string // "uuid:key", for Basic
	Token       string // for Bearer
	NamespaceID string // of DefaultNamespace
	APIHost     string // "https://127.0.0.1:port", handed to actions
	Python      string // interpreter of actions that name none
	Extra       map[string]string
	Temp        string        // folder of bodies and answers on their way; "" the system's
	Wait        time.Duration // a blocking invocation waits; 0 is OpenWhisk's 60 s
	Queue       int           // activations accepted and not ended, beyond which 429; 0 is 10,000
	QueueBytes  int64         // of their parameters, beyond which 429; 0 is 256 MiB
	Log         *slog.Logger
	Now         func() time.Time
}

type api struct {
	Config
	log    *slog.Logger
	mux    *http.ServeMux
	tasks  *background.Work // activations
	slots  chan struct{}
	queued *semaphore.Weighted // bytes of the parameters of accepted activations
	turns  slots.Pool
	// bytes of outcomes that wait for the disk
	unwritten *semaphore.Weighted
}

// API serves the paths below /api/v1.
type API struct{ api *api }

// New makes an API. Close ends its activations.
func New(c Config) *API {
	if c.Wait == 0 {
		c.Wait = time.Minute
	}
	if c.Queue == 0 {
		c.Queue = 10_000
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 256 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &api{Config: c, log: c.Log, mux: http.NewServeMux(), tasks: background.New(), slots: make(chan struct{}, c.Queue),
		queued: semaphore.NewWeighted(c.QueueBytes), turns: slots.New(), unwritten: semaphore.NewWeighted(maxUnwritten)}
	a.routes()
	return &API{a}
}

// Running is the number of activations accepted and not ended.
func (x *API) Running() int { return len(x.api.slots) }

// Close waits until ctx ends for running activations, then kills them and records that.
func (x *API) Close(ctx context.Context) { x.api.tasks.Close(ctx) }

// Admits reports whether the credentials of a request are right.
func (x *API) Admits(r *http.Request) bool {
	_, ok := x.api.identify(r)
	return ok
}

func (x *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", strings.ReplaceAll(uuid.NewString(), "-", ""))
	if !open(r) && !x.Admits(r) {
		x.api.fail(w, r, unauthorized(r))
		return
	}
	x.api.mux.ServeHTTP(w, r)
}

// open reports whether a request needs no credentials: clients ask what the service is before they have any.
func open(r *http.Request) bool {
	return r.Method == http.MethodGet && (r.URL.Path == "/" || r.URL.Path == "/api/v1" || r.URL.Path == "/api/v1/") ||
		strings.HasPrefix(r.URL.Path, "/api/v1/web/")
}

// identity is how a caller has proved who it is: there is one user, in two forms.
type identity int

const (
	basic identity = iota
	bearer
)

func (a *api) identify(r *http.Request) (identity, bool) {
	if user, password, ok := r.BasicAuth(); ok {
		return basic, a.APIKey != "" && hmac.Equal([]byte(user+":"+password), []byte(a.APIKey))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return bearer, a.Token != "" && strings.EqualFold(scheme, "Bearer") && hmac.Equal([]byte(strings.TrimSpace(token)), []byte(a.Token))
}

// call is one request within a namespace.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	ns   state.Namespace
	path string // of the namespace in entities: its name
	pkg  string // "" the default package
	name string
	turn *slots.Slot
}

type methods map[string]func(call) error

func (a *api) routes() {
	a.handle("/{$}", methods{"GET": a.platform})
	a.handle("/api/v1", methods{"GET": a.info})
	a.handle("/api/v1/namespaces", methods{"GET": a.listNamespaces, "POST": a.createNamespace})
	a.handle("/api/v1/namespaces/{ns}", methods{"GET": a.getNamespace, "DELETE": a.deleteNamespace})
	a.handle("/api/v1/namespaces/{ns}/packages", methods{"GET": a.listPackages})
	a.handle("/api/v1/namespaces/{ns}/packages/{name}", methods{
		"GET": a.getPackage, "PUT": a.putPackage, "DELETE": a.deletePackage, "POST": refreshPackages,
	})
	a.handle("/api/v1/namespaces/{ns}/actions", methods{"GET": a.listActions})
	action := methods{"GET": a.getAction, "PUT": a.putAction, "DELETE": a.deleteAction, "POST": a.invoke}
	a.handle("/api/v1/namespaces/{ns}/actions/{name}", action)
	a.handle("/api/v1/namespaces/{ns}/actions/{pkg}/{$}", methods{"GET": a.listActions})
	a.handle("/api/v1/namespaces/{ns}/actions/{pkg}/{name}", action)
	a.handle("/api/v1/namespaces/{ns}/activations", methods{"GET": a.listActivations})
	a.handle("/api/v1/namespaces/{ns}/activations/{id}", methods{"GET": a.getActivation})
	a.handle("/api/v1/namespaces/{ns}/activations/{id}/{part}", methods{"GET": a.getActivationPart})
	a.handle("/api/v1/namespaces/{ns}/limits", methods{"GET": a.limits})
	for _, what := range []string{"triggers", "rules"} {
		a.handle("/api/v1/namespaces/{ns}/"+what, methods{"GET": a.listNone})
		a.handle("/api/v1/namespaces/{ns}/"+what+"/{name}", methods{
			"GET": missing, "DELETE": missing, "PUT": lacking(what), "POST": lacking(what),
		})
	}
	a.mux.HandleFunc("/api/v1/web/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, notImplemented(webActions))
	})
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, errNoRoute) })
}

// handle serves a path, with and without a slash at its end, in the methods given.
func (a *api) handle(path string, m methods) {
	h := func(w http.ResponseWriter, r *http.Request) {
		fn, ok := m[r.Method]
		if !ok {
			a.fail(w, r, errNoRoute)
			return
		}
		c, err := a.locate(w, r)
		defer c.turn.End()
		if err == nil {
			err = fn(c)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	}
	a.mux.HandleFunc(path, h)
	if !strings.HasSuffix(path, "{$}") && !strings.HasSuffix(path, "/actions/{name}") {
		a.mux.HandleFunc(path+"/{$}", h)
	}
}

// locate finds the namespace of a path: by name, by GUID, or "_" for the caller's own.
func (a *api) locate(w http.ResponseWriter, r *http.Request) (call, error) {
	c := call{w: w, r: r, turn: a.turns.Turn(), pkg: r.PathValue("pkg"), name: r.PathValue("name")}
	want := r.PathValue("ns")
	if want == "" {
		return c, nil
	}
	for _, name := range []string{c.pkg, c.name} {
		if name != "" {
			if err := checkName(name); err != nil {
				return c, err
			}
		}
	}
	if want == "_" {
		want = a.NamespaceID
	}
	all, err := a.DB.Namespaces()
	if err != nil {
		return c, err
	}
	for _, n := range all {
		if n.ID == want || n.Name == want {
			c.ns, c.path = n, n.Name
			return c, nil
		}
	}
	if who, _ := a.identify(r); who == bearer {
		return c, errMissing
	}
	if strings.HasSuffix(r.URL.Path, "/packages") && r.Method == http.MethodGet {
		return c, nil // the packages that others share: there are none
	}
	return c, forbidden(path.Join(want, c.pkg, c.name))
}
