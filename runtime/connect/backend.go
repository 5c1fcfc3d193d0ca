package connect

import (
	"context"
	"net"
	"net/url"
	"os"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local"
	"fn-runtime/runtime/transport"
)

// chooseBackend selects the backend and loads the configuration. The backend is the one of the flag, otherwise
// lithops.backend of the configuration, otherwise ibm_cf if a session exists. Without any of these it returns an
// error. With -b local it reads no configuration because the local endpoint provides all settings.
func (p *opening) chooseBackend(ctx context.Context) error {
	if p.o.Backend == runtime.BackendLocal {
		return p.useLocal(ctx)
	}
	config, err := lithops.Load(lithops.LoadOptions{
		File: p.o.ConfigFile, Getenv: p.o.Host.Getenv, Home: p.o.Host.Home, WorkDir: p.o.Host.WorkDir, Version: p.install.Version, Pipes: p.o.Host.Pipes,
	})
	if err != nil {
		return err
	}
	if config.HasMaskedSecrets() {
		return fault.New(fault.Invalid, i18n.M("The secrets in the Lithops configuration {{.Source}} are masked.", "Source", config.Source()),
			i18n.M("Write it with its secrets by running 'ibmcloud fn-runtime lithops-config -o FILE'."))
	}
	p.config = config
	backend := p.o.Backend
	if backend == "" {
		if backend, err = config.Backend(); err != nil {
			return err
		}
	}
	if backend == "" && p.o.Host.Session != nil {
		backend = runtime.BackendIBMCF
	}
	switch {
	case backend == runtime.BackendIBMCF, backend == runtime.BackendCodeEngine, backend == runtime.BackendOpenWhisk:
	case p.o.LocalOnly:
		return nil
	case backend == "":
		return noBackend(config.Source())
	default:
		return fault.New(fault.Invalid,
			i18n.M("Runtimes cannot be deployed to the backend '{{.Backend}}' of the Lithops configuration {{.Source}}.", "Backend", backend, "Source", config.Source()),
			i18n.M("Specify another backend with '-b': ibm_cf, code_engine, openwhisk or local."))
	}
	p.target.Backend = backend
	if p.compute, err = config.Compute(lithops.Backend(backend), p.install); err != nil {
		return err
	}
	if err := p.applyFlags(); err != nil {
		return err
	}
	return p.detectLocal(ctx)
}

// clientConfigLoader returns the function with which doctor loads the configuration in the Lithops client. It returns
// nil if no configuration was read.
func (p *opening) clientConfigLoader() func(ctx context.Context) (source string, err error) {
	if p.config == nil || p.config.Source() == "" {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		return p.config.Source(), p.config.CheckWithClient(ctx, p.install, p.o.Backend, local.Environment(os.Environ()))
	}
}

// noBackend returns the error for a missing backend, with the three ways to select one.
func noBackend(source string) error {
	if source != "" {
		return fault.New(fault.NotLoggedIn,
			i18n.M("No backend is selected: you are not logged in, and the Lithops configuration {{.Source}} does not specify a backend.", "Source", source),
			i18n.M("Log in with 'ibmcloud login', set 'backend' in section 'lithops' of the configuration, or use this machine with '-b local'."))
	}
	return fault.New(fault.NotLoggedIn,
		i18n.M("No backend is selected: you are not logged in, and no Lithops configuration specifies a backend."),
		i18n.M("Log in with 'ibmcloud login', specify a Lithops configuration with '--config', or use this machine with '-b local'."))
}

// applyFlags overrides the configuration with flags.
func (p *opening) applyFlags() error {
	if r := p.o.Region; r != "" && r != p.compute.Region {
		if len(lithops.Regions(p.compute.Backend)) == 0 {
			return fault.New(fault.Usage, i18n.M("The backend {{.Backend}} does not support regions. Only ibm_cf and code_engine do.", "Backend", p.target.Backend),
				i18n.M("Omit the region, or specify one of these backends with '-b'."))
		}
		p.compute.Region, p.compute.Endpoint, p.compute.NamespaceID = r, "", ""
		if p.compute.Backend == lithops.CodeEngine {
			p.compute.ProjectID, p.compute.Namespace = "", ""
		}
	}
	switch n := p.o.Namespace; {
	case n == "":
	case p.compute.Backend == lithops.CodeEngine:
		if n != p.compute.Project {
			p.compute.Project, p.compute.ProjectID, p.compute.Namespace = n, "", ""
		}
	case n != p.compute.Namespace:
		p.compute.Namespace, p.compute.NamespaceID = n, ""
	}
	return nil
}

// useLocal starts the embedded endpoint and uses its settings.
func (p *opening) useLocal(ctx context.Context) error {
	p.target.Backend = runtime.BackendLocal
	p.compute = lithops.Compute{Backend: lithops.OpenWhisk, DockerServer: lithops.DefaultDockerServer}
	if p.o.As == runtime.BackendCodeEngine {
		if err := lithops.CheckRelease(lithops.CodeEngine, p.install.Version); err != nil {
			return err
		}
		p.compute.Backend = lithops.CodeEngine
	}
	if p.o.LocalOnly {
		return nil
	}
	info, err := p.localEndpoint(ctx)
	if err != nil {
		return err
	}
	p.endpoint = info
	version := p.install.Version
	p.compute = lithops.Compute{
		Backend: lithops.OpenWhisk, Endpoint: info.Endpoint, Namespace: info.Namespace, APIKey: info.APIKey,
		RuntimeMemory:  lithops.DefaultMemory(lithops.OpenWhisk, version),
		RuntimeTimeout: lithops.DefaultTimeout(lithops.OpenWhisk, version),
		DockerServer:   lithops.DefaultDockerServer,
	}
	p.storage = lithops.Storage{
		Backend: lithops.Minio, Endpoint: info.Endpoint, Bucket: info.Bucket, AccessKeyID: info.AccessKey, SecretAccessKey: info.SecretKey,
	}
	p.applyLocalSettings()
	if p.o.As == runtime.BackendCodeEngine {
		p.emulateCodeEngine()
	}
	return p.applyFlags()
}

// emulateCodeEngine configures the embedded endpoint as a replacement for IBM Cloud Code Engine. As in the client,
// requests use the host names of IBM Cloud and pass through the proxy of the endpoint. The session is not used.
func (p *opening) emulateCodeEngine() {
	version, e := p.install.Version, p.endpoint
	p.o.Host.Session = nil
	p.target.Backend = runtime.BackendCodeEngine
	p.target.Proxy, p.target.CAFile, p.target.CABundle = e.Proxy(), e.CloudBundle, e.CloudBundle
	p.limits = lithops.Limits{}
	memory := lithops.DefaultMemory(lithops.CodeEngine, version)
	scale, _ := lithops.SmallestJobSize(memory)
	p.compute = lithops.Compute{
		Backend: lithops.CodeEngine, Region: lithops.Regions(lithops.CodeEngine)[0], IAMAPIKey: e.APIKey, ResourceGroupID: "local",
		RuntimeMemory: memory, RuntimeMilliCPU: scale.MilliCPU, RuntimeTimeout: lithops.DefaultTimeout(lithops.CodeEngine, version),
		DockerServer: lithops.DefaultDockerServer,
	}
}

// localEndpoint returns the embedded endpoint. It starts the endpoint unless the command is passive.
func (p *opening) localEndpoint(ctx context.Context) (local.Info, error) {
	if !p.o.Passive {
		return local.Start(ctx, local.Options{
			Dir: p.localDir(), Executable: p.o.Host.Executable, Python: p.install.Interpreter, Version: p.o.Host.Version,
		})
	}
	info, err := local.Status(ctx, p.localDir())
	if err == nil && !info.Running {
		err = notRunning(info)
	}
	return info, err
}

// notRunning returns the error for an embedded endpoint that does not run or hangs.
func notRunning(i local.Info) error {
	if err := local.CheckResponsive(i); err != nil {
		return err
	}
	return fault.New(fault.Unavailable, i18n.M("The local endpoint is not running."), i18n.M("Start the endpoint with 'ibmcloud fn-runtime local start'."))
}

// detectLocal checks whether the configured endpoint is the embedded endpoint. If so, it applies the settings of the
// endpoint: its certificate, its limits, and whether it runs the Python of this machine.
func (p *opening) detectLocal(ctx context.Context) error {
	port := loopbackPort(p.compute.Endpoint)
	if port == "" || p.o.LocalOnly {
		return nil
	}
	info, err := local.Status(ctx, p.localDir())
	if err != nil || loopbackPort(info.Endpoint) != port {
		return nil // another server on this machine
	}
	if !info.Running {
		return notRunning(info)
	}
	if key := p.compute.APIKey; p.compute.Backend == lithops.OpenWhisk && key != "" && key != info.APIKey {
		return fault.New(fault.NotLoggedIn,
			i18n.M("The keys in the Lithops configuration {{.Source}} are outdated: the keys of the local endpoint were re-created.", "Source", p.config.Source()), rewriteConfig())
	}
	p.endpoint = info
	p.applyLocalSettings()
	return nil
}

// applyLocalSettings applies the limits, the certificates and the Python environment of the embedded endpoint to the
// target.
func (p *opening) applyLocalSettings() {
	p.limits = lithops.Limits{MinMemoryMB: local.MinMemoryMB, MaxMemoryMB: local.MaxMemoryMB, MaxTimeoutS: local.MaxTimeoutS}
	p.target.CAFile, p.target.CABundle = p.endpoint.CAFile, p.endpoint.CABundle
	p.target.HostPython = p.endpoint.Invoker != "docker"
}

// loopbackPort returns the port of a loopback URL, or "" for any other URL.
func loopbackPort(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || !transport.Loopback(u.Hostname()) {
		return ""
	}
	if _, port, err := net.SplitHostPort(u.Host); err == nil {
		return port
	}
	return ""
}
