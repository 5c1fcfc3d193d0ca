// Package rest implements the OpenWhisk REST API of the local endpoint, with the documents of OpenWhisk and those of
// IBM Cloud Functions. It contains the paths, documents, limits, status codes and error texts of the API.
//
// It does not store data, run actions or listen on sockets.
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

// DefaultNamespace is the namespace that every endpoint has, like a new OpenWhisk installation.
const DefaultNamespace = "guest"

// Config configures an API.
type Config struct {
	DB          *state.DB
	Invoker     invoke.Invoker
	APIKey      string // "uuid:key", for Basic authentication
	Token       string // for Bearer authentication
	NamespaceID string // of DefaultNamespace
	APIHost     string // "https://127.0.0.1:port", passed to actions
	Python      string // default interpreter of actions
	ExtraEnv    map[string]string
	Temp        string        // directory for buffered bodies and responses; "" means the system default
	Wait        time.Duration // maximum duration of a blocking invocation; 0 means 60 s as in OpenWhisk
	Queue       int           // maximum number of accepted activations that have not ended; further requests get 429; 0 means 10,000
	QueueBytes  int64         // maximum bytes of the parameters of these activations; further requests get 429; 0 means 256 MiB
	Log         *slog.Logger
	Now         func() time.Time
}

type api struct {
	Config
	log             *slog.Logger
	mux             *http.ServeMux
	tasks           *background.Tasks // running activations
	activationSlots chan struct{}
	queuedBytes     *semaphore.Weighted // bytes of the parameters of accepted activations
	slotPool        slots.Pool
	// unwrittenBytes limits the bytes of outcomes that could not be written to disk yet.
	unwrittenBytes *semaphore.Weighted
}

// API serves the paths below /api/v1, and the platform description at /.
type API struct{ api *api }

// New creates an API. Call Close to end its activations.
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
	a := &api{Config: c, log: c.Log, mux: http.NewServeMux(), tasks: background.New(), activationSlots: make(chan struct{}, c.Queue),
		queuedBytes: semaphore.NewWeighted(c.QueueBytes), slotPool: slots.New(), unwrittenBytes: semaphore.NewWeighted(maxUnwritten)}
	a.routes()
	return &API{a}
}

// Running returns the number of accepted activations that have not ended.
func (x *API) Running() int { return len(x.api.activationSlots) }

// Close waits for running activations until ctx is done. It then kills the remaining ones and records that.
func (x *API) Close(ctx context.Context) { x.api.tasks.Close(ctx) }

// Admits reports whether a request has valid credentials.
func (x *API) Admits(r *http.Request) bool {
	_, ok := x.api.identify(r)
	return ok
}

func (x *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", strings.ReplaceAll(uuid.NewString(), "-", ""))
	if !isPublic(r) && !x.Admits(r) {
		x.api.respondError(w, r, unauthorized(r))
		return
	}
	x.api.mux.ServeHTTP(w, r)
}

// isPublic reports whether a request needs no credentials: clients query the service before they have any.
func isPublic(r *http.Request) bool {
	return r.Method == http.MethodGet && (r.URL.Path == "/" || r.URL.Path == "/api/v1" || r.URL.Path == "/api/v1/") ||
		strings.HasPrefix(r.URL.Path, "/api/v1/web/")
}

// identity is the kind of credentials of a caller. There is only one user.
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
	path string // name of the namespace, as shown in entities
	pkg  string // empty for the default package
	name string
	slot *slots.Slot
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
	for _, kind := range []string{"triggers", "rules"} {
		a.handle("/api/v1/namespaces/{ns}/"+kind, methods{"GET": a.listNone})
		a.handle("/api/v1/namespaces/{ns}/"+kind+"/{name}", methods{
			"GET": notFound, "DELETE": notFound, "PUT": unsupported(kind), "POST": unsupported(kind),
		})
	}
	a.mux.HandleFunc("/api/v1/web/", func(w http.ResponseWriter, r *http.Request) {
		a.respondError(w, r, notImplemented(webActions))
	})
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.respondError(w, r, errNoRoute) })
}

// handle registers the handlers of a path, with and without a trailing slash.
func (a *api) handle(path string, m methods) {
	h := func(w http.ResponseWriter, r *http.Request) {
		fn, ok := m[r.Method]
		if !ok {
			a.respondError(w, r, errNoRoute)
			return
		}
		c, err := a.resolve(w, r)
		defer c.slot.Release()
		if err == nil {
			err = fn(c)
		}
		if err != nil {
			a.respondError(w, r, err)
		}
	}
	a.mux.HandleFunc(path, h)
	if !strings.HasSuffix(path, "{$}") && !strings.HasSuffix(path, "/actions/{name}") {
		a.mux.HandleFunc(path+"/{$}", h)
	}
}

// resolve returns the call of a request. The path specifies the namespace by name, by GUID, or as "_" for the namespace
// of the caller.
func (a *api) resolve(w http.ResponseWriter, r *http.Request) (call, error) {
	c := call{w: w, r: r, slot: a.slotPool.NewSlot(), pkg: r.PathValue("pkg"), name: r.PathValue("name")}
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
		return c, errNotFound
	}
	if strings.HasSuffix(r.URL.Path, "/packages") && r.Method == http.MethodGet {
		return c, nil // the list of packages shared by other users, which is always empty
	}
	return c, forbidden(path.Join(want, c.pkg, c.name))
}
