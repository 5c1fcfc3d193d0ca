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

// Open makes the service of one command. Nothing is changed on the target; -b local starts the local endpoint. With
// Tolerant there is always a service: what is missing stands in its Problems.
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

// result puts together what is known.
func (p *opening) result() *runtime.Service {
	s := &runtime.Service{
		Site: site.Site{
			Target: p.target, Install: p.install, Contract: p.contract, Settings: p.compute, Storage: p.storage,
			Compute: p.port, Store: p.store, Cache: p.cache,
			Observer: p.o.Host.Observer, Jobs: p.o.Jobs, Version: p.o.Host.Version,
		},
		Config: p.config, Problems: p.problems, ClientProblem: p.clientDoubt, LoadClientConfig: p.askClient(),
	}
	if p.contract.Backend != "" {
		s.TempDir = lithops.TempDir(p.install.Version, p.o.Host.Getenv)
	}
	if p.o.NeedImages {
		s.Images = p.images()
	}
	return s
}

// opening is one run of Open: what is known so far.
type opening struct {
	o        Options
	install  lithops.Install
	config   *lithops.Config
	target   runtime.Target
	compute  lithops.Compute
	storage  lithops.Storage
	contract lithops.Contract
	cache    lithops.Cache
	store    site.Store   // nil where it is not needed, or could not be had
	port     site.Compute // the same
	problems map[string]error
	limits   lithops.Limits // of the service where they are known; zero otherwise
	lent     bool           // the user was told where the session's token is used
	endpoint local.Info     // the embedded endpoint, when it is the target; the zero Info otherwise
	noTLS    *fault.Fault   // the compute service has no TLS, so the client cannot reach it; else nil

	certificates certificates
}

// step does one part; with Tolerant its error becomes a problem of the check with that name. It tells whether the part
// is there.
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
		return p.nameStore()
	}
	if _, err := p.step("session", p.loggedIn()); err != nil {
		return err
	}
	if p.o.NeedStore || p.compute.Backend == lithops.CodeEngine && p.o.NeedInstall { // its runtimes answer into the bucket
		if _, err := p.step("bucket", p.openStore()); err != nil {
			return err
		}
	}
	return p.openCompute(ctx)
}

// findLithops finds the client. Without the need for it, its absence is none.
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

// nameStore tells which store the client's workers will use, without anything else about it.
func (p *opening) nameStore() (err error) {
	if p.config == nil { // the embedded endpoint's
		p.storage.Backend = lithops.Minio
		return nil
	}
	p.storage.Backend, err = p.config.StorageBackend()
	return err
}

// openCompute makes the compute side: the endpoint with its credentials, the user key and the namespace.
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
		keyErr = nil // one existing package may tell it
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
		Endpoint: p.target.Endpoint, Namespace: ns, Transport: p.certificates.watch("session", p.transport(p.target.Endpoint, auth, p.compute.Insecure)), LoginHint: hint,
	})
	if keyErr == nil && key == "" {
		keyErr = p.keyOfPackages(ctx, client)
	}
	p.port = openwhisk.NewCompute(client, openwhisk.ComputeOptions{Contract: p.contract, Settings: p.compute, Limits: p.limits, Jobs: p.o.Jobs})
	_, err = p.step("namespace", keyErr)
	return err
}

// images reads registries and, when something is built, speaks to the engine.
func (p *opening) images() site.Images {
	o := images.Options{
		Getenv: p.o.Host.Getenv, Home: p.o.Host.Home,
		Server: p.compute.DockerServer, User: p.compute.DockerUser, Password: p.compute.DockerPassword,
		Transport: p.privateOnly(p.anonymous()), Budget: p.o.Host.Retries, Checked: filepath.Join(p.o.Host.StateDir, "checked"),
	}
	if w := p.o.Host.Observer; w != nil {
		o.Begin, o.Progress, o.Warn = w.Begin, w.Progress, w.Warn
	}
	return images.New(o)
}

// localDir is the folder of the embedded endpoint's state.
func (p *opening) localDir() string { return filepath.Join(p.o.Host.StateDir, "local") }
