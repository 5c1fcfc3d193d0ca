// Package scale runs the built binary on many runtimes and objects. It checks the number of requests, the behavior
// with a throttling service, the state after an interruption, and that data of other programs stays untouched.
//
// It uses the local endpoint behind recording proxies, filled with test data. It does not measure times.
package scale

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/openwhisk"
	"fn-runtime/runtime/storage"
	"fn-runtime/runtime/transport"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

// registry is an address on which no registry listens, so that requests for images fail immediately.
const registry = "127.0.0.1:1/"

// testbed is a local endpoint behind proxies, and a client that is configured to use the proxies.
type testbed struct {
	*harness.Stage
	t         *testing.T
	endpoint  harness.Endpoint
	api, s3   *proxy.Proxy
	functions *openwhisk.Client
	store     *storage.Store
	contract  lithops.Contract
	seed      openwhisk.Action // the deployed runtime that copies are made from
	metadata  []byte
}

// newTestbed deploys one runtime as the template for copies.
func newTestbed(t *testing.T) *testbed {
	t.Helper()
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	b := &testbed{Stage: harness.NewStage(t), t: t}
	b.Env = []string{"VIRTUAL_ENV=" + venv}
	b.FnRuntime("local", "start", "-q", "--python", filepath.Join(venv, "bin", "python"))
	b.endpoint = b.Stage.Endpoint()
	b.api, b.s3 = through(t, b.endpoint.Endpoint), through(t, b.endpoint.S3Endpoint)
	b.configure(b.s3.URL, b.endpoint.Bucket, b.endpoint.AccessKey, b.endpoint.SecretKey)
	origin := b.api.URL
	b.functions = openwhisk.New(openwhisk.Options{Endpoint: origin, Namespace: openwhisk.Namespace{Scope: entity.Scope{ID: "guest", Name: "guest"}, Fixed: true},
		Transport: transport.New(transport.Options{Auth: transport.Auth{Basic: b.endpoint.APIKey}, Origin: origin, UserAgent: "test"})})
	b.store = storage.New(storage.Options{Endpoint: b.s3.URL, Bucket: b.endpoint.Bucket, AccessKeyID: b.endpoint.AccessKey,
		SecretAccessKey: b.endpoint.SecretKey, Transport: transport.New(transport.Options{UserAgent: "test"})})
	b.FnRuntime("deploy", registry+"me/seed:1", "-q")
	version := strings.TrimSpace(b.Run(time.Minute, filepath.Join(venv, "bin", "python"), "-c", "import lithops; print(lithops.__version__)").Stdout)
	b.contract = lithops.Contract{Backend: lithops.OpenWhisk, Version: version, UserKey: b.endpoint.APIKey[:5], Namespace: "guest"}
	var err error
	name := b.contract.Action(registry+"me/seed:1", 256)
	if b.seed, err = b.functions.Action(t.Context(), b.contract.Package(), name); err != nil {
		t.Fatal(err)
	}
	if b.metadata, err = b.store.Get(t.Context(), b.contract.MetadataKey(name)); err != nil {
		t.Fatal(err)
	}
	b.reset()
	return b
}

func through(t *testing.T, target string) *proxy.Proxy {
	t.Helper()
	p, err := proxy.New(target, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// configure writes the Lithops configuration.
func (b *testbed) configure(s3, bucket, access, secret string) {
	b.t.Helper()
	text := fmt.Sprintf("lithops:\n  backend: openwhisk\n  storage: minio\nopenwhisk:\n  endpoint: %s\n  namespace: guest\n  api_key: %s\n  insecure: true\n"+
		"minio:\n  endpoint: %s\n  storage_bucket: %s\n  access_key_id: %s\n  secret_access_key: %s\n", b.api.URL, b.endpoint.APIKey, s3, bucket, access, secret)
	file := filepath.Join(b.Home, ".lithops", "config")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testbed) reset() {
	for _, p := range []*proxy.Proxy{b.api, b.s3} {
		p.Inject(nil)
		p.Reset()
	}
}

// requests counts the requests to a proxy with a method and a part of the path. "" matches any value.
func requests(p *proxy.Proxy, method, part string) (n int) {
	for _, r := range p.Record() {
		if (method == "" || r.Method == method) && strings.Contains(r.Path, part) {
			n++
		}
	}
	return n
}

// image returns the image name of the n-th copy.
func image(n int) string { return fmt.Sprintf("%sme/copy:%04d", registry, n) }

// copies deploys n copies of the seed without invoking them. If foreign is true they have no annotations, as if
// deployed by Lithops itself.
func (b *testbed) copies(n int, foreign bool) {
	b.t.Helper()
	code := base64.StdEncoding.EncodeToString([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	b.forAll(n, func(ctx context.Context, i int) error {
		a := b.seed
		a.Name, a.Image = b.contract.Action(image(i), 256), image(i)
		a.Annotations = map[string]any{}
		if !foreign {
			maps.Copy(a.Annotations, b.seed.Annotations)
			a.Annotations["fn-runtime-image"] = image(i)
		}
		if _, err := b.functions.PutAction(ctx, a, code); err != nil {
			return err
		}
		return b.store.Put(ctx, b.contract.MetadataKey(a.Name), b.metadata)
	})
	b.reset()
}

// forAll calls work for 0 to n-1 concurrently.
func (b *testbed) forAll(n int, work func(ctx context.Context, i int) error) {
	b.t.Helper()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 16 {
		wg.Go(func() {
			for i := range next {
				if err := work(b.t.Context(), i); err != nil {
					b.t.Error(err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	if b.t.Failed() {
		b.t.FailNow()
	}
}

// actions returns the names of the existing actions.
func (b *testbed) actions() map[string]bool {
	b.t.Helper()
	names := map[string]bool{}
	for a, err := range b.functions.Actions(b.t.Context(), b.contract.Package()) {
		if err != nil {
			if len(names) == 0 && strings.Contains(err.Error(), "did not find") {
				return names
			}
			b.t.Fatal(err)
		}
		names[a.Name] = true
	}
	return names
}

// keys returns the keys with a prefix.
func (b *testbed) keys(prefix string) map[string]bool {
	b.t.Helper()
	keys := map[string]bool{}
	for o, err := range b.store.List(b.t.Context(), prefix) {
		if err != nil {
			b.t.Fatal(err)
		}
		keys[o.Key] = true
	}
	return keys
}

// orphans fails the test if there is metadata without an action, because the client would wait forever for such a
// runtime.
func (b *testbed) orphans() {
	b.t.Helper()
	actions := b.actions()
	for key := range b.keys(lithops.RuntimesPrefix) {
		if ref, ok := lithops.ParseMetadataKey(key); ok && !actions[ref.Action] {
			b.t.Errorf("metadata without action: %s", key)
		}
	}
}

// gauge is a fault that forwards requests and records how many are in flight at once.
type gauge struct {
	mu      sync.Mutex
	now     int
	highest int
	hold    time.Duration
	gather  int         // requests wait until this many are in flight
	begun   func(n int) // called when the n-th request arrives; may be nil
	count   int
}

func (g *gauge) fault(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	g.mu.Lock()
	g.now++
	g.count++
	n := g.count
	g.highest = max(g.highest, g.now)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.now--
		g.mu.Unlock()
	}()
	if g.begun != nil {
		g.begun(n)
	}
	for end := time.Now().Add(time.Minute); g.maximum() < g.gather && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(g.hold)
	forward.ServeHTTP(w, r)
}

func (g *gauge) maximum() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.highest
}
