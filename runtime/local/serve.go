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

// How long a stop waits, in this order: for running activations, for pending responses, and for the invoker to end. The
// last limit is high because a busy container engine may take long to remove containers.
const (
	graceActivations = 5 * time.Second
	graceRequests    = 5 * time.Second
	graceInvoker     = 40 * time.Second
)

// Serve runs the endpoint until ctx ends, a client sends a stop request, or the endpoint has been idle for IdleTimeout.
func Serve(ctx context.Context, o Options) error {
	err := serve(ctx, o)
	return fault.During(i18n.M("Running the local endpoint"), err)
}

func serve(ctx context.Context, o Options) (err error) {
	setUmask()
	closeInherited()
	if err := ensureDir(o.Dir); err != nil {
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
	removeTempFiles(o.Dir)
	out, err := openLog(o.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	log := out.logger()

	info, err := loadIdentity(o.Dir)
	if err != nil {
		return err
	}
	certificates, err := newCerts(o.Dir, time.Now, localIssuance())
	if err != nil {
		return err
	}
	cloudCertificates, err := newCerts(o.Dir, time.Now, cloudIssuance())
	if err != nil {
		return err
	}
	tlsListener, err := listen(o.Port, info.Port, "--port")
	if err != nil {
		return err
	}
	defer tlsListener.Close() // if serve returns early; otherwise the server closes it
	secure, plain := []net.Listener{tlsListener}, []net.Listener(nil)
	if o.S3Port != 0 {
		l, err := listen(o.S3Port, 0, "--s3-port")
		if err != nil {
			return err
		}
		defer l.Close()
		plain = append(plain, l)
	}
	proxyListener, err := listenPreferred(info.ProxyPort)
	if err != nil {
		return err
	}
	defer proxyListener.Close()
	info.ProxyPort = portOf(proxyListener)
	if info, err = o.describe(info, portOf(tlsListener)); err != nil {
		return err
	}
	if err := prepareState(db, info, log); err != nil {
		return err
	}
	// Clear the PID only after the invoker has ended, so that every caller of Stop waits for the workers to end too.
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

	e := &endpoint{info: info, log: log, proxyListener: sameUserOnly(log, false, proxyListener)[0], tunnel: newTunnel(info.ProxySecret, proxyListener.Addr()), stop: make(chan struct{}, 1), begun: time.Now()}
	e.load, _ = invoker.(loadReporter)
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
	if err := writeInfo(o.Dir, info); err != nil { // last, so that the endpoint already listens when clients find the file
		return err
	}
	published = true
	log.Info("started", "pid", info.PID, "endpoint", info.Endpoint, "s3", info.S3Endpoint, "invoker", info.Invoker, "version", info.Version)
	defer func() { log.Info("stopped") }()
	secure, plain = sameUserOnly(log, false, secure...), sameUserOnly(log, false, plain...)
	for i, l := range sameUserOnly(log, true, bridge...) { // in the order of info.ports
		if i == 0 {
			secure = append(secure, l)
		} else {
			plain = append(plain, l)
		}
	}
	return e.run(ctx, o.IdleTimeout, secure, plain, certificates, cloudCertificates)
}

// describe sets the fields of Info that depend on the options and on this process.
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
	i.InvokerRequested = cmp.Or(o.Invoker, i.InvokerRequested, defaultInvoker)
	i.Invoker = i.InvokerRequested
	i.MemoryMB, i.Requested = cmp.Or(o.MemoryMB, invoker.DefaultMemoryMB()), o.settings()
	i.StartedAt, i.Version = time.Now().UTC(), o.Version
	i.Python, err = interpreter(o.Python, i.Python)
	return i, err
}

// prepareState creates the namespace and the bucket if they do not exist, and marks activations as failed that were
// running when the endpoint was killed.
func prepareState(db *state.DB, info Info, log *slog.Logger) error {
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

// endpoint is a running endpoint.
type endpoint struct {
	info          Info
	log           *slog.Logger
	load          loadReporter // nil if the invoker does not report its load
	api           *rest.API
	s3            service
	cloud         *codeengine.API
	tunnel        *tunnel
	proxyListener net.Listener // listener of the proxy that feeds the tunnel
	stop          chan struct{}
	active        atomic.Int64 // number of requests in progress
	begun         time.Time
	// lastActivity is when a request last began or ended, in ns since begun. It uses the monotonic clock, so changes of
	// the system time do not affect it.
	lastActivity atomic.Int64
}

func (e *endpoint) touch() { e.lastActivity.Store(int64(time.Since(e.begun))) }

// trackActivity returns a handler that counts active requests and updates lastActivity.
func (e *endpoint) trackActivity(next http.Handler) http.Handler {
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

// run serves requests until ctx ends, a stop request arrives, the endpoint is idle or a server fails. Then it shuts
// down.
func (e *endpoint) run(ctx context.Context, idle time.Duration, secure, plain []net.Listener, certificates, cloudCertificates *certs) error {
	api := e.server(tlsServices{e}, serviceName, isLoopback)
	api.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.get}
	store := e.server(e.s3, func(*http.Request) string { return "s3" }, isLoopback)
	cloud := e.server(e.cloud, cloudService, cloudHost)
	cloud.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cloudCertificates.get}
	proxy := e.tunnel.server(e.log)
	failed := make(chan error, len(secure)+len(plain)+2)
	go func() { failed <- cloud.ServeTLS(netutil.LimitListener(e.tunnel, maxConnections), "", "") }()
	go func() { failed <- proxy.Serve(netutil.LimitListener(e.proxyListener, maxConnections)) }()
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
	// End the activations first, so that requests that wait for them can be answered.
	grace, cancel := context.WithTimeout(context.Background(), graceActivations)
	defer cancel()
	var ends sync.WaitGroup
	ends.Go(func() { e.cloud.Close(grace) })
	e.api.Close(grace)
	ends.Wait()
	end, cancel2 := context.WithTimeout(context.Background(), graceRequests)
	defer cancel2()
	for _, s := range []*http.Server{proxy, cloud, api, store} {
		if s.Shutdown(end) != nil {
			_ = s.Close()
		}
	}
	return err
}

// server returns a server for HTTP/1.1 only. In HTTP/1.1, a request body that is not read yet blocks only its own
// connection. In HTTP/2, it would fill the flow-control window that all requests of a client share, and could block the
// requests that it waits for.
func (e *endpoint) server(s service, name func(*http.Request) string, validHost func(host string) bool) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           e.guard(s, name, validHost),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
}

// idle returns a channel that is closed when there have been no requests and no activations for the duration d. If d is
// 0, it returns nil.
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
			if e.active.Load() == 0 && e.running() == 0 && time.Since(e.begun)-time.Duration(e.lastActivity.Load()) >= d {
				close(done)
				return
			}
		}
	}()
	return done
}

// running returns the number of activations and job runs that have not ended.
func (e *endpoint) running() int { return e.api.Running() + e.cloud.Running() }
