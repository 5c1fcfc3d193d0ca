package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/openwhisk"
	"fn-runtime/runtime/storage"
	"fn-runtime/runtime/transport"
	"fn-runtime/test/proxy"
)

// account is a namespace and a bucket on a separate local endpoint. Both programs reach it through proxies that add the
// same delay to each request.
type account struct {
	b        *bench
	home     string
	venv     string
	info     endpoint
	compute  *proxy.Proxy // OpenWhisk, with the endpoint's own certificate
	objects  *proxy.Proxy // S3
	backend  string       // the client's name of the backend
	extra    []string     // additional environment variables
	contract lithops.Contract
	model    openwhisk.Action // the runtime that the other runtimes copy
	metadata []byte           // its metadata object
	actions  *openwhisk.Client
	store    *storage.Store

	coldStart time.Duration // duration of the invocation that replay repeats
}

// endpoint holds the connection data that the local endpoint writes to its directory.
type endpoint struct {
	Endpoint   string `json:"endpoint"`
	S3Endpoint string `json:"s3_endpoint"`
	Namespace  string `json:"namespace"`
	APIKey     string `json:"api_key"`
	AccessKey  string `json:"access_key"`
	SecretKey  string `json:"secret_key"`
	Bucket     string `json:"bucket"`
	CAFile     string `json:"ca_file"`
	CABundle   string `json:"ca_bundle"`
}

// newAccount starts an endpoint and deploys one runtime to it with the plug-in. The close method stops everything.
func newAccount(ctx context.Context, b *bench) (a *account, err error) {
	a = &account{b: b, backend: "openwhisk"}
	if a.venv, err = b.venv(ctx); err != nil {
		return nil, err
	}
	if err := a.start(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	cert, err := tls.LoadX509KeyPair(filepath.Join(a.dir(), "server.pem"), filepath.Join(a.dir(), "server-key.pem"))
	if err != nil {
		return nil, err
	}
	if a.compute, err = proxy.New(a.info.Endpoint, &cert); err != nil {
		return nil, err
	}
	if err := a.configure(a.objects.URL, a.info.AccessKey, a.info.SecretKey, a.info.Bucket); err != nil {
		return nil, err
	}
	if _, err := a.ours(ctx, "deploy", "default"); err != nil {
		return nil, err
	}
	return a, a.connect(ctx)
}

// start creates a home directory and starts an endpoint in it, with a proxy in front of its object store.
func (a *account) start(ctx context.Context) (err error) {
	if a.home, err = os.MkdirTemp("", "fn-runtime-bench"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := os.MkdirAll(filepath.Join(a.home, "tmp"), 0o700); err != nil {
		return err
	}
	if _, err := a.counted(ctx, a.b.bin, "local", "start"); err != nil {
		return err
	}
	if err := a.read("endpoint.json", &a.info); err != nil {
		return err
	}
	a.objects, err = proxy.New(a.info.S3Endpoint, nil)
	return err
}

// dir returns the directory of the endpoint.
func (a *account) dir() string {
	return filepath.Join(a.home, ".bluemix", "plugins", "fn-runtime", "local")
}

func (a *account) read(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(a.dir(), name))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (a *account) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := measure(ctx, a.home, a.env(), a.b.bin, "local", "stop", "-q"); err != nil { // it does not accept a configuration
		fmt.Fprintln(os.Stderr, err)
	}
	for _, p := range []*proxy.Proxy{a.compute, a.objects} {
		if p != nil {
			p.Close()
		}
	}
	_ = os.RemoveAll(a.home)
}

// config returns the path of the Lithops configuration that both programs read.
func (a *account) config() string { return filepath.Join(a.home, "config.yaml") }

func (a *account) configure(s3, key, secret, bucket string) error {
	text := fmt.Sprintf(`lithops: {backend: openwhisk, storage: minio, log_level: ERROR, monitoring_interval: 0.2}
openwhisk: {endpoint: %q, namespace: %q, api_key: %q, insecure: true}
minio: {endpoint: %q, access_key_id: %q, secret_access_key: %q, storage_bucket: %q}
`, a.compute.URL, a.info.Namespace, a.info.APIKey, s3, key, secret, bucket)
	return os.WriteFile(a.config(), []byte(text), 0o600)
}

// connect creates clients that reach the endpoint directly, to prepare a measurement without delay.
func (a *account) connect(ctx context.Context) error {
	install, err := lithops.Find(ctx, lithops.FindOptions{Python: filepath.Join(a.venv, "bin", "python"), Getenv: os.Getenv, Home: a.home, WorkDir: a.home})
	if err != nil {
		return err
	}
	a.contract = lithops.Contract{Backend: lithops.OpenWhisk, Version: install.Version, Namespace: a.info.Namespace}
	ca, err := os.ReadFile(a.info.CAFile)
	if err != nil {
		return err
	}
	a.actions = openwhisk.New(openwhisk.Options{Endpoint: a.info.Endpoint, Transport: transport.New(transport.Options{
		Auth: transport.Auth{Basic: a.info.APIKey}, Origin: a.info.Endpoint, CAs: [][]byte{ca},
	})})
	a.store = storage.New(storage.Options{
		Endpoint: a.info.S3Endpoint, Bucket: a.info.Bucket, AccessKeyID: a.info.AccessKey, SecretAccessKey: a.info.SecretKey,
		Transport: transport.New(transport.Options{CAs: [][]byte{ca}}),
	})
	for pkg, err := range a.actions.Packages(ctx) {
		if err != nil {
			return err
		}
		if key, ok := lithops.PackageUserKey(pkg.Name); ok {
			a.contract.UserKey = key
		}
	}
	for action, err := range a.actions.Actions(ctx, a.contract.Package()) {
		if err != nil {
			return err
		}
		a.model = action
	}
	if a.model, err = a.actions.Action(ctx, a.contract.Package(), a.model.Name); err != nil {
		return err
	}
	a.metadata, err = a.store.Get(ctx, a.contract.MetadataKey(a.model.Name))
	return err
}

// env returns the isolated environment of both programs: this home, this virtual environment, this authority.
func (a *account) env() []string {
	return append([]string{
		"HOME=" + a.home, "IBMCLOUD_HOME=" + a.home, "TMPDIR=" + filepath.Join(a.home, "tmp"), "USER=bench", "LANG=C.UTF-8", "IBMCLOUD_COLOR=false",
		"PATH=" + filepath.Join(a.venv, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"), "VIRTUAL_ENV=" + a.venv,
		"REQUESTS_CA_BUNDLE=" + a.info.CABundle, "AWS_CA_BUNDLE=" + a.info.CABundle,
	}, a.extra...)
}

// ours runs the plug-in and counts its requests to the proxies.
func (a *account) ours(ctx context.Context, args ...string) (cost, error) {
	if a.compute != nil {
		args = append(args, "-c", a.config())
	}
	return a.counted(ctx, a.b.bin, args...)
}

// theirs runs the real Lithops command line with the same configuration.
func (a *account) theirs(ctx context.Context, args ...string) (cost, error) {
	return a.counted(ctx, filepath.Join(a.venv, "bin", "lithops"), append(args, "-c", a.config(), "-b", a.backend)...)
}

func (a *account) counted(ctx context.Context, name string, args ...string) (cost, error) {
	proxies := []*proxy.Proxy{a.compute, a.objects}
	for _, p := range proxies {
		if p != nil {
			p.Reset()
		}
	}
	c, err := measure(ctx, a.home, a.env(), name, args...)
	for _, p := range proxies {
		if p != nil {
			c.record = append(c.record, p.Record()...)
		}
	}
	c.requests = len(c.record)
	a.b.logf("%s %s: %s, %d requests", filepath.Base(name), strings.Join(args, " "), round(c.took), c.requests)
	return c, err
}

// delay sets the delay that is added to each request.
func (a *account) delay(d time.Duration) { a.compute.Delay, a.objects.Delay = d, d }

// seed makes the account contain exactly n runtimes: copies of the deployed one under other image names. If outdated is
// true, their code differs from the client's.
func (a *account) seed(ctx context.Context, n int, outdated bool) error {
	if err := a.empty(ctx); err != nil {
		return err
	}
	if _, err := a.actions.CreatePackage(ctx, a.contract.Package()); err != nil {
		return err
	}
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return parallel(ctx, 16, numbers, func(ctx context.Context, i int) error {
		image := fmt.Sprintf("docker.io/bench/runtime-%04d:1", i)
		copied := a.model
		copied.Image, copied.Name = image, a.contract.Action(image, copied.MemoryMB)
		copied.Annotations = map[string]any{}
		maps.Copy(copied.Annotations, a.model.Annotations)
		copied.Annotations["fn-runtime-image"] = image
		if outdated {
			copied.Annotations["fn-runtime-bundle"] = strings.Repeat("0", 64)
		}
		delete(copied.Annotations, "exec")
		if _, err := a.actions.PutAction(ctx, copied, emptyZip); err != nil {
			return err
		}
		return a.store.Put(ctx, a.contract.MetadataKey(copied.Name), a.metadata)
	})
}

// emptyZip is a zip archive without entries, in base64. Copies are run only after an update.
const emptyZip = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="

// empty deletes every runtime, its metadata and the caches.
func (a *account) empty(ctx context.Context) error {
	names, err := a.left(ctx)
	if err != nil {
		return err
	}
	err = parallel(ctx, 16, names, func(ctx context.Context, name string) error {
		return a.actions.DeleteAction(ctx, a.contract.Package(), name)
	})
	if err != nil {
		return err
	}
	if _, err := a.store.Purge(ctx, entity.Sweep{Prefixes: []string{lithops.RuntimesPrefix}}); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(a.home, ".lithops"))
}

// left returns the names of the remaining actions.
func (a *account) left(ctx context.Context) (names []string, err error) {
	for action, err := range a.actions.Actions(ctx, a.contract.Package()) {
		if err != nil {
			return nil, err
		}
		names = append(names, action.Name)
	}
	return names, nil
}
