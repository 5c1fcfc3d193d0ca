package connect

import (
	"context"
	"os"
	"path/filepath"

	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local"
	"fn-runtime/runtime/openwhisk"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/transport"
)

// Open creates the service for one command. It does not change the target, but starts the local endpoint for -b
// local. With Tolerant it returns a service even if parts of it are missing. The reasons are in Problems.
func Open(ctx context.Context, o Options) (*runtime.Service, error) {
	if o.Host.Getenv == nil {
		o.Host.Getenv = func(string) string { return "" }
	}
	if o.Host.Retries == nil {
		o.Host.Retries = transport.NewBudget(0)
	}
	p := &opening{o: o, cache: lithops.Cache{Dir: lithops.CacheDir(o.Host.Home)}}
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	return p.result(), nil
}

// result returns the service that was built.
func (p *opening) result() *runtime.Service {
	s := &runtime.Service{
		Site: site.Site{
			Target: p.target, Install: p.install, Contract: p.contract, Settings: p.compute, Storage: p.storage,
			Compute: p.computeService, Store: p.store, Cache: p.cache,
			Observer: p.o.Host.Observer, Jobs: p.o.Jobs, Version: p.o.Host.Version,
		},
		Config: p.config, Problems: p.problems, ClientProblem: p.clientProblem, LoadClientConfig: p.clientConfigLoader(),
	}
	if p.contract.Backend != "" {
		s.TempDir = lithops.TempDir(p.install.Version, p.o.Host.Getenv)
	}
	if p.o.NeedImages {
		s.Images = p.images()
	}
	return s
}

// opening is the state of one call of Open.
type opening struct {
	o              Options
	install        lithops.Install
	config         *lithops.Config
	target         runtime.Target
	compute        lithops.Compute
	storage        lithops.Storage
	contract       lithops.Contract
	cache          lithops.Cache
	store          site.Store   // nil if not needed or not available
	computeService site.Compute // client of the compute service; nil if not available
	problems       map[string]error
	limits         lithops.Limits // of the service; zero if unknown
	tokenWarned    bool           // warnAboutSessionToken has warned the user
	endpoint       local.Info     // the embedded endpoint if it is the target, otherwise zero
	noTLS          *fault.Fault   // set if the compute service does not use TLS, so the client cannot reach it

	certificates certificates
}

// step handles the error of one part. With Tolerant it records the error as the problem of a check. It reports
// whether the part is available.
func (p *opening) step(check string, err error) (bool, error) {
	if err == nil {
		return true, nil
	}
	if !p.o.Tolerant || fault.Is(err, fault.Interrupted) {
		return false, err
	}
	if p.problems == nil {
		p.problems = map[string]error{}
	}
	p.problems[check] = err
	return false, nil
}

func (p *opening) open(ctx context.Context) error {
	if _, err := p.step("lithops", p.findLithops(ctx)); err != nil {
		return err
	}
	ok, err := p.step("backend", p.chooseBackend(ctx))
	if !ok || err != nil || p.target.Backend == "" {
		return err
	}
	p.contract = lithops.Contract{Backend: p.compute.Backend, Version: p.install.Version, Namespace: p.compute.Namespace}
	if p.o.LocalOnly {
		return p.setStorageBackend()
	}
	if _, err := p.step("session", p.checkLogin()); err != nil {
		return err
	}
	if p.o.NeedStore || p.compute.Backend == lithops.CodeEngine && p.o.NeedInstall { // jobs of Code Engine write their results to the bucket
		if _, err := p.step("bucket", p.openStore()); err != nil {
			return err
		}
	}
	return p.openCompute(ctx)
}

// findLithops finds the Lithops installation. A missing installation is an error only if the command needs it.
func (p *opening) findLithops(ctx context.Context) error {
	install, err := lithops.Find(ctx, lithops.FindOptions{
		Python: p.o.Python, Dir: p.o.LithopsDir, Getenv: p.o.Host.Getenv, Home: p.o.Host.Home, WorkDir: p.o.Host.WorkDir,
		Environ: local.Environment(os.Environ()),
	})
	if err != nil && !p.o.NeedInstall {
		return nil
	}
	p.install = install
	return err
}

// setStorageBackend determines the storage backend that the workers use. Commands that do not access the storage need
// no other setting.
func (p *opening) setStorageBackend() (err error) {
	if p.config == nil { // the store of the embedded endpoint
		p.storage.Backend = lithops.Minio
		return nil
	}
	p.storage.Backend, err = p.config.StorageBackend()
	return err
}

// openCompute creates the client of the compute service. This includes the endpoint, the credentials, the user key
// and the namespace.
func (p *opening) openCompute(ctx context.Context) error {
	ok, err := p.step("region", p.chooseEndpoint(ctx))
	if !ok || err != nil {
		return err
	}
	auth, hint, err := p.computeAuth()
	if ok, err = p.step("session", err); !ok || err != nil {
		return err
	}
	key, from, keyErr := p.userKey()
	if fault.Is(keyErr, fault.Invalid) && p.o.UserKey == "" && p.compute.Backend != lithops.CodeEngine {
		keyErr = nil // userKeyFromPackages may find it
	}
	p.contract.UserKey, p.target.UserKeyFrom = key, from
	if p.compute.Backend == lithops.CodeEngine {
		err := keyErr
		if err == nil {
			err = p.openProject(ctx, auth, hint, key)
		}
		_, err = p.step("namespace", err)
		return err
	}
	ns, err := p.namespace(auth)
	if ok, err = p.step("namespace", err); !ok || err != nil {
		return err
	}
	client := openwhisk.New(openwhisk.Options{
		Endpoint: p.target.Endpoint, Namespace: ns, Transport: p.certificates.record("session", p.transport(p.target.Endpoint, auth, p.compute.Insecure)), LoginHint: hint,
	})
	if keyErr == nil && key == "" {
		keyErr = p.userKeyFromPackages(ctx, client)
	}
	p.computeService = openwhisk.NewCompute(client, openwhisk.ComputeOptions{Contract: p.contract, Settings: p.compute, Limits: p.limits, Jobs: p.o.Jobs})
	_, err = p.step("namespace", keyErr)
	return err
}

// images returns the client for image registries and, for builds, for the container engine.
func (p *opening) images() site.Images {
	o := images.Options{
		Getenv: p.o.Host.Getenv, Home: p.o.Host.Home,
		Server: p.compute.DockerServer, User: p.compute.DockerUser, Password: p.compute.DockerPassword,
		Transport: p.privateOnly(p.anonymous()), Budget: p.o.Host.Retries, CheckCache: filepath.Join(p.o.Host.StateDir, "checked"),
	}
	if w := p.o.Host.Observer; w != nil {
		o.Begin, o.Progress, o.Warn = w.Begin, w.Progress, w.Warn
	}
	return images.New(o)
}

// localDir returns the state directory of the embedded endpoint.
func (p *opening) localDir() string { return filepath.Join(p.o.Host.StateDir, "local") }
