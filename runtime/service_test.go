package runtime_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

var (
	_ site.Compute = (*runtimetest.Compute)(nil)
	_ site.Store   = (*runtimetest.Store)(nil)
)

const (
	defaultImage = "docker.io/lithopscloud/openwhisk-python-v311"
	pkg          = "lithops_abcde"
)

// world is a service with fakes and everything that a test inspects.
type world struct {
	*runtime.Service
	compute  *runtimetest.Compute
	store    *runtimetest.Store
	observer *observer
}

// newWorld returns a client of Lithops 3.7.0 and Python 3.11 on an OpenWhisk with a namespace and a bucket.
func newWorld(t *testing.T) *world {
	t.Helper()
	contract := lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.7.0", UserKey: "abcde", Namespace: "guest"}
	w := &world{compute: runtimetest.NewCompute(contract), store: runtimetest.NewStore(), observer: &observer{}}
	w.Service = &runtime.Service{Site: site.Site{
		Target:   runtime.Target{Backend: "openwhisk", Namespace: "guest", Endpoint: "https://ow.example", Bucket: "bucket"},
		Install:  lithops.Install{Dir: installLithops(t), Version: "3.7.0", Python: "3.11", Interpreter: "/usr/bin/python3"},
		Contract: contract,
		Settings: lithops.Compute{Backend: lithops.OpenWhisk, Endpoint: "https://ow.example", Namespace: "guest", APIKey: "abcdefgh:secret",
			RuntimeMemory: 256, RuntimeTimeout: 300, DockerServer: "docker.io"},
		Compute: w.compute, Store: w.store, Cache: lithops.Cache{Dir: t.TempDir()}, Observer: w.observer, Version: "1.0.0",
	}}
	return w
}

// installLithops creates the directory of a Lithops package with the files that the handler archive needs.
func installLithops(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lithops")
	for name, text := range map[string]string{
		"version.py": "__version__ = '3.7.0'\n", "__init__.py": "",
		"serverless/backends/openwhisk/entry_point.py":   "def main(args): return {}\n",
		"serverless/backends/ibm_cf/entry_point.py":      "def main(args): return {}\n",
		"serverless/backends/code_engine/entry_point.py": "",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// editLithops changes the installed Lithops, as a developer of Lithops would.
func (w *world) editLithops(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.Install.Dir, "__init__.py"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *world) resetRequests() { w.compute.ResetRequests(); w.store.ResetRequests() }

func (w *world) requests() []string { return slices.Concat(w.compute.Requests(), w.store.Requests()) }

// writes returns the number of requests that change something.
func (w *world) writes() (n int) {
	for _, r := range w.requests() {
		if strings.HasPrefix(r, "PUT") || strings.HasPrefix(r, "DELETE") || strings.HasPrefix(r, "POST") || strings.HasPrefix(r, "PURGE") {
			n++
		}
	}
	return n
}

func (w *world) action(image string, memory int) string { return w.Contract.Action(image, memory) }

func (w *world) key(image string, memory int) string {
	return w.Contract.MetadataKey(w.action(image, memory))
}

// checkUsable checks that the client finds a complete runtime: action, metadata in the bucket, and the same metadata in
// its cache.
func (w *world) checkUsable(t *testing.T, image string, memory int) {
	t.Helper()
	key := w.key(image, memory)
	if _, exists := w.compute.All()[w.Contract.Package()+"/"+w.action(image, memory)]; !exists {
		t.Errorf("action of %s does not exist: %v", image, w.compute.All())
	}
	object, err := w.store.Get(context.Background(), key)
	if err != nil {
		t.Fatalf("metadata: %v; there is %v", err, w.store.Keys())
	}
	md, err := lithops.ParseMetadata(object)
	if err != nil || md.LithopsVersion != w.Contract.Version || md.TimeoutS == 0 || md.PythonVersion != w.Install.Python {
		t.Errorf("metadata %s: %v", object, err)
	}
	cached, err := w.Cache.ReadMetadata(key)
	if err != nil || string(cached) != string(object) {
		t.Errorf("cache has %q (%v), the bucket %q", cached, err, object)
	}
}

// checkEmpty checks that no part of a runtime remains.
func (w *world) checkEmpty(t *testing.T) {
	t.Helper()
	if all := w.compute.All(); len(all) > 0 {
		t.Errorf("actions are left: %v", all)
	}
	if keys := w.store.Keys(); len(keys) > 0 {
		t.Errorf("objects are left: %v", keys)
	}
	var files []string
	_ = filepath.WalkDir(w.Cache.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return nil
	})
	if len(files) > 0 {
		t.Errorf("cache entries are left: %v", files)
	}
}

// observer records messages.
type observer struct {
	mu    sync.Mutex
	texts []string
}

func (o *observer) add(text i18n.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.texts = append(o.texts, text.String())
}

func (o *observer) Begin(i18n.Message) func(error) { return func(error) {} }
func (o *observer) Progress(int64, int64, string)  {}
func (o *observer) Note(text i18n.Message)         { o.add(text) }
func (o *observer) Warn(text i18n.Message)         { o.add(text) }
func (o *observer) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.texts, "\n")
}

// item returns an item of a plan by kind.
func item(t *testing.T, r runtime.Result, kind runtime.Kind) runtime.Item {
	t.Helper()
	for _, it := range r.Items {
		if it.Kind == kind {
			return it
		}
	}
	t.Fatalf("no %s in %v", kind, r.Items)
	return runtime.Item{}
}

func mustFault(t *testing.T, err error, kind fault.Kind, words ...string) *fault.Fault {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != kind {
		t.Fatalf("error is %v (%s), want kind %s", err, fault.KindOf(err), kind)
	}
	text := f.Error() + " " + f.Recovery.String() + " " + strings.Join(f.Details, " ")
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in %q", w, text)
		}
	}
	return f
}

func withoutNotes(a entity.Registered) entity.Registered { a.Notes = nil; return a }

var injected = i18n.M("Injected.")
