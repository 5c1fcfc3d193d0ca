package local

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/codeengine"
	"fn-runtime/runtime/local/internal/rest"
	"fn-runtime/runtime/local/internal/s3"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoker"
)

// How long a stop waits for running activations, for answers after they have been ended, and until what ran them is
// gone: a container engine that is busy takes its time.
const (
	graceActivations = 5 * time.Second
	graceRequests    = 5 * time.Second
	graceInvoker     = 40 * time.Second
)

// Serve runs the endpoint until ctx ends, a client asks it to stop, or it has been idle for so long as Options say.
func Serve(ctx context.Context, o Options) error {
	err := serve(ctx, o)
	return fault.During(i18n.M("Running the local endpoint"), err)
}

func serve(ctx context.Context, o Options) (err error) {
	private()
	keepDescriptors()
	if err := makeDir(o.Dir); err != nil {
		return err
	}
	db, err := state.Open(o.Dir, state.Limits{ObjectBytes: int64(o.MaxStorageMB) << 20}, nil)
	if errors.Is(err, state.ErrLocked) {
		return fault.New(fault.Conflict,
			i18n.M("A local endpoint is already running in the directory '{{.Dir}}'.", "Dir", o.Dir),
			i18n.M("Use it, or stop it with 'ibmcloud fn-runtime local stop'."))
	}
	if errors.Is(err, state.ErrDamaged) {
		return fault.New(fault.Failed,
			i18n.M("The state of the local endpoint in the directory '{{.Dir}}' is damaged.", "Dir", o.Dir),
			i18n.M("Restore 'state.db' and 'objects' in this directory from a backup. To start over without actions and objects, remove the directory and start the endpoint again.")).Because(err)
	}
	if errors.Is(err, state.ErrNewer) {
		return fault.New(fault.Conflict,
			i18n.M("The state of the local endpoint in the directory '{{.Dir}}' was written by a newer release of this plug-in.", "Dir", o.Dir),
			i18n.M("Update the plug-in. To start over without actions and objects instead, remove the directory and start the endpoint again.")).Because(err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	sweepFiles(o.Dir)
	out, err := openLog(o.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	log := out.logger()

	info, err := identity(o.Dir)
	if err != nil {
		return err
	}
	certificates, err := newCerts(o.Dir, time.Now, ofMachine())
	if err != nil {
		return err
	}
	cloudCertificates, err := newCerts(o.Dir, time.Now, ofCloud())
	if err != nil {
		return err
	}
	tlsListener, err := listen(o.Port, info.Port, "--port")
	if err != nil {
		return err
	}
	defer tlsListener.Close() // closed by the server already
	secure, plain := []net.Listener{tlsListener}, []net.Listener(nil)
	if o.S3Port != 0 {
		l, err := listen(o.S3Port, 0, "--s3-port")
		if err != nil {
			return err
		}
		defer l.Close()
		plain = append(plain, l)
	}
	way, err := listenAnew(info.ProxyPort)
	if err != nil {
		return err
	}
	defer way.Close()
	info.ProxyPort = portOf(way)
	if info, err = o.describe(info, portOf(tlsListener)); err != nil {
		return err
	}
	if err := furnish(db, info, log); err != nil {
		return err
	}
	// The process counts as ended when all that it started has ended: who stops it beside another waits for that too.
	published := false
	defer func() {
		if published {
			info.PID, info.ProcessMark = 0, ""
			err = errors.Join(err, writeInfo(o.Dir, info))
		}
	}()
	invoker, bridge, err := o.setUpInvoker(ctx, &info, db.Disk(), log)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), graceInvoker)
		defer cancel()
		err = errors.Join(err, invoker.Close(end))
	}()

	e := &endpoint{info: info, log: log, way: own(log, false, way)[0], tunnel: newTunnel(info.ProxySecret, way.Addr()), stop: make(chan struct{}, 1), begun: time.Now()}
	e.load, _ = invoker.(measured)
	e.touch()
	e.api = rest.New(rest.Config{
		DB: db, Invoker: invoker, APIKey: info.APIKey, Token: info.Token, NamespaceID: info.NamespaceID,
		APIHost: info.Endpoint, Python: info.Python, Temp: o.Dir, Wait: o.Wait, Log: log,
		ExtraEnv: map[string]string{"REQUESTS_CA_BUNDLE": info.CABundle, "AWS_CA_BUNDLE": info.CABundle},
	})
	if e.cloud, err = codeengine.New(codeengine.Config{
		DB: db, Invoker: invoker, APIKey: info.APIKey, Token: info.Token, Python: info.Python, Temp: o.Dir, Log: log,
		ExtraEnv: map[string]string{"REQUESTS_CA_BUNDLE": info.CABundle, "AWS_CA_BUNDLE": info.CABundle},
	}); err != nil {
		return err
	}
	e.s3 = s3.Handler(db, s3.Keys{AccessKey: info.AccessKey, SecretKey: info.SecretKey, Token: info.Token}, o.Dir, nil)
	if err := writeInfo(o.Dir, info); err != nil { // last: who finds the file finds an endpoint that listens
		return err
	}
	published = true
	log.Info("started", "pid", info.PID, "endpoint", info.Endpoint, "s3", info.S3Endpoint, "invoker", info.Invoker, "version", info.Version)
	defer func() { log.Info("stopped") }()
	secure, plain = own(log, false, secure...), own(log, false, plain...)
	for i, l := range own(log, true, bridge...) { // in the order of info.ports
		if i == 0 {
			secure = append(secure, l)
		} else {
			plain = append(plain, l)
		}
	}
	return e.run(ctx, o.IdleTimeout, secure, plain, certificates, cloudCertificates)
}

// describe completes what clients see of the endpoint.
func (o Options) describe(i Info, port int) (Info, error) {
	abs, err := filepath.Abs(o.Dir)
	if err != nil {
		abs = o.Dir
	}
	i.PID, i.ProcessMark = os.Getpid(), processMark(os.Getpid())
	i.Port, i.S3Port = port, o.S3Port
	i.Endpoint = "https://127.0.0.1:" + strconv.Itoa(port)
	if i.S3Endpoint = i.Endpoint; o.S3Port != 0 {
		i.S3Endpoint = "http://127.0.0.1:" + strconv.Itoa(o.S3Port)
	}
	i.CAFile, i.CABundle, i.CloudBundle = filepath.Join(abs, caFile), filepath.Join(abs, bundleFile), filepath.Join(abs, cloudBundleFile)
	i.InvokerAsked = cmp.Or(o.Invoker, i.InvokerAsked, defaultInvoker)
	i.Invoker = i.InvokerAsked
	i.MemoryMB, i.Asked = cmp.Or(o.MemoryMB, invoker.DefaultMemoryMB()), o.settings()
	i.StartedAt, i.Version = time.Now().UTC(), o.Version
	i.Python, err = interpreter(o.Python, i.Python)
	return i, err
}

// furnish makes what every endpoint has, and settles what a killed one left.
func furnish(db *state.DB, info Info, log *slog.Logger) error {
	err := db.CreateNamespace(state.Namespace{ID: info.NamespaceID, Name: info.Namespace})
	if err != nil && !errors.Is(err, state.ErrExists) {
		return err
	}
	if err := db.CreateBucket(info.Bucket); err != nil && !errors.Is(err, state.ErrExists) {
		return err
	}
	lost, err := rest.Recover(db, time.Now())
	if lost > 0 {
		log.Warn("activations were lost when the endpoint last ended", "count", lost)
	}
	return err
}

// endpoint is what runs between start and stop.
type endpoint struct {
	info   Info
	log    *slog.Logger
	load   measured // nil where the invoker does not know
	api    *rest.API
	s3     service
	cloud  *codeengine.API
	tunnel *tunnel
	way    net.Listener // of the tunnel
	stop   chan struct{}
	active atomic.Int64 // requests at this moment
	begun  time.Time
	last   atomic.Int64 // when a request began or ended, ns since begun: nobody can set that clock
}

func (e *endpoint) touch() { e.last.Store(int64(time.Since(e.begun))) }

func (e *endpoint) busy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.active.Add(1)
		e.touch()
		defer func() {
			e.touch()
			e.active.Add(-1)
		}()
		next.ServeHTTP(w, r)
	})
}

func (e *endpoint) run(ctx context.Context, idle time.Duration, secure, plain []net.Listener, certificates, cloudCertificates *certs) error {
	api := e.server(all{e}, serviceName, loopback)
	api.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.get}
	store := e.server(e.s3, func(*http.Request) string { return "s3" }, loopback)
	cloud := e.server(e.cloud, cloudService, cloudHost)
	cloud.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cloudCertificates.get}
	door := e.tunnel.server(e.log)
	failed := make(chan error, len(secure)+len(plain)+2)
	go func() { failed <- cloud.ServeTLS(netutil.LimitListener(e.tunnel, maxConnections), "", "") }()
	go func() { failed <- door.Serve(netutil.LimitListener(e.way, maxConnections)) }()
	for _, l := range secure {
		go func() { failed <- api.ServeTLS(netutil.LimitListener(l, maxConnections), "", "") }()
	}
	for _, l := range plain {
		go func() { failed <- store.Serve(netutil.LimitListener(l, maxConnections)) }()
	}

	var err error
	select {
	case <-ctx.Done():
	case <-e.stop:
	case <-e.idle(ctx, idle):
		e.log.Info("idle", "after", idle.String())
	case err = <-failed:
	}
	// Activations first: requests that wait for them can then be answered.
	grace, cancel := context.WithTimeout(context.Background(), graceActivations)
	defer cancel()
	var ends sync.WaitGroup
	ends.Go(func() { e.cloud.Close(grace) })
	e.api.Close(grace)
	ends.Wait()
	end, cancel2 := context.WithTimeout(context.Background(), graceRequests)
	defer cancel2()
	for _, s := range []*http.Server{door, cloud, api, store} {
		if s.Shutdown(end) != nil {
			_ = s.Close()
		}
	}
	return err
}

// server speaks HTTP/1.1 alone: there a body that waits to be read holds up its own connection only, while in HTTP/2 it
// fills the window that all requests of a client share, also those that the waiting one waits for.
func (e *endpoint) server(s service, name func(*http.Request) string, ours func(host string) bool) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           e.guard(s, name, ours),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
}

// idle tells once nothing has been asked and nothing has run for so long; never when d is 0.
func (e *endpoint) idle(ctx context.Context, d time.Duration) <-chan struct{} {
	if d <= 0 {
		return nil
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(max(d/10, 10*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if e.active.Load() == 0 && e.running() == 0 && time.Since(e.begun)-time.Duration(e.last.Load()) >= d {
				close(done)
				return
			}
		}
	}()
	return done
}

// running counts activations and job runs that have not ended.
func (e *endpoint) running() int { return e.api.Running() + e.cloud.Running() }

// all are the services of the encrypted port, told apart by path.
type all struct{ e *endpoint }

func (a all) of(r *http.Request) service {
	switch serviceName(r) {
	case "openwhisk":
		return a.e.api
	case "endpoint":
		return admin{a.e}
	}
	return a.e.s3
}

func (a all) Admits(r *http.Request) bool { return a.of(r).Admits(r) }

func (a all) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.of(r).ServeHTTP(w, r) }

func serviceName(r *http.Request) string {
	_, _, basic := r.BasicAuth()
	switch {
	case r.URL.Path == "/" && r.Method == http.MethodGet && r.URL.RawQuery == "" && (r.Header.Get("Authorization") == "" || basic):
		return "openwhisk" // what the service is; S3 lists buckets here, and is asked with a signature or a token
	case r.URL.Path == "/api/v1", strings.HasPrefix(r.URL.Path, "/api/v1/"):
		return "openwhisk"
	case strings.HasPrefix(r.URL.Path, adminPrefix):
		return "endpoint"
	}
	return "s3"
}
