package commands

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

// regionsHarness is a harness with one service for each region. All services use the same bucket. Opening the service
// of a region in down fails.
type regionsHarness struct {
	*harness
	mu      sync.Mutex
	compute map[string]*runtimetest.Compute
	store   *runtimetest.Store
	down    []string
	jobs    []int
}

func newRegionsHarness(t *testing.T) *regionsHarness {
	t.Helper()
	h := &regionsHarness{harness: newHarness(), compute: map[string]*runtimetest.Compute{}, store: runtimetest.NewStore()}
	cache, dir := t.TempDir(), filepath.Join(t.TempDir(), "lithops")
	for _, name := range []string{"version.py", "__init__.py", "serverless/backends/ibm_cf/entry_point.py"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.Service = func(_ context.Context, o connect.Options) (*runtime.Service, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.jobs = append(h.jobs, o.Jobs)
		region := o.Region
		if region == "" {
			region = "us-south"
		}
		if slices.Contains(h.down, region) {
			return nil, fault.New(fault.Unavailable, i18n.M("The service does not answer."), i18n.M("Try again later."))
		}
		c := lithops.Contract{Backend: lithops.IBMCF, Version: "3.7.0", UserKey: "abcd", Namespace: "ns", Region: region}
		if h.compute[region] == nil {
			h.compute[region] = runtimetest.NewCompute(c)
		}
		return &runtime.Service{Site: site.Site{
			Target:   runtime.Target{Backend: "ibm_cf", Namespace: "ns", Region: region, Bucket: "bucket"},
			Install:  lithops.Install{Dir: dir, Version: "3.7.0", Python: "3.11"},
			Contract: c, Settings: lithops.Compute{Backend: lithops.IBMCF, RuntimeMemory: 256, RuntimeTimeout: 300, DockerServer: "docker.io"},
			Compute: h.compute[region], Store: h.store, Cache: lithops.Cache{Dir: cache}, Observer: o.Host.Observer,
		}}, nil
	}
	return h
}

// json runs a command with --output json and decodes its output into doc.
func (h *regionsHarness) json(t *testing.T, doc any, line string) int {
	t.Helper()
	h.out.Reset()
	status := h.run(line + " --output json")
	if err := json.Unmarshal(h.out.Bytes(), doc); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, h.out.String())
	}
	return status
}

type resultDoc struct {
	Items []struct {
		Kind, Name, Region, Status, Change string
		Count                              int
	}
	Regions []struct {
		Region string
		OK     bool
		Error  struct{ Message string }
	}
	Error struct{ Message string }
}

func TestRegionsRunConcurrently(t *testing.T) {
	h := newRegionsHarness(t)
	var doc resultDoc
	if status := h.json(t, &doc, "deploy me/x:1 --regions us-south,eu-de -j 8"); status != exitDone || len(doc.Regions) != 2 {
		t.Fatalf("%d %+v", status, doc)
	}
	if !slices.Equal(h.jobs, []int{4, 4}) {
		t.Errorf("-j 8: got %v jobs per region, want 4 each", h.jobs)
	}
	actions := map[string]int{}
	for _, it := range doc.Items {
		if it.Kind == "action" {
			actions[it.Region]++
		}
	}
	if actions["us-south"] != 1 || actions["eu-de"] != 1 {
		t.Errorf("got %v, want one in us-south and one in eu-de", actions)
	}
	var list []struct{ Region, State string }
	if status := h.json(t, &list, "list --regions all"); status != exitDone || len(list) != 2 || list[0].Region == list[1].Region || list[0].State != "ready" {
		t.Errorf("%d %+v", status, list)
	}
}

func TestFailedRegionDoesNotStopOthers(t *testing.T) {
	h := newRegionsHarness(t)
	h.down = []string{"eu-de"}
	var doc resultDoc
	if status := h.json(t, &doc, "deploy me/x:1 --regions us-south,eu-de"); status != exitFailed || len(doc.Regions) != 2 {
		t.Fatalf("%d %+v", status, doc)
	}
	if !doc.Regions[0].OK || doc.Regions[1].OK || doc.Regions[1].Error.Message == "" || !strings.Contains(doc.Error.Message, "Region eu-de: The service does not answer.") {
		t.Errorf("got %+v, want an error for eu-de", doc)
	}
	var partly struct {
		resultDoc
		Runtimes []struct{ Region string }
	}
	if status := h.json(t, &partly, "list --regions us-south,eu-de"); status != exitFailed || len(partly.Runtimes) != 1 || partly.Regions[1].OK {
		t.Errorf("%d %+v", status, partly)
	}
	h.View.JSON = false
	h.out.Reset()
	if status := h.run("list --regions us-south,eu-de"); status != exitFailed || !strings.Contains(h.out.String(), "docker.io/me/x:1") || !strings.Contains(h.err.String(), "Region eu-de: The service does not answer.") {
		t.Errorf("%d %s%s", status, h.out.String(), h.err.String())
	}
}

func TestRuntimeMissingInSomeRegions(t *testing.T) {
	h := newRegionsHarness(t)
	if status := h.run("deploy me/x:1 --regions us-south,eu-de -q"); status != exitDone {
		t.Fatal(h.err.String())
	}
	var doc resultDoc
	if status := h.json(t, &doc, "update me/x:1 --regions all"); status != exitDone || len(doc.Regions) != 6 {
		t.Errorf("update: %d %+v", status, doc)
	}
	if status := h.json(t, &doc, "delete me/x:1 --regions all -f"); status != exitDone {
		t.Errorf("delete: %d %+v", status, doc)
	}
	if status := h.json(t, &doc, "delete me/x:1 --regions all -f"); status != exitFailed || !strings.Contains(doc.Error.Message, "is not deployed") {
		t.Errorf("delete again: %d %+v", status, doc)
	}
}

func TestRegionsAskForConfirmationOnce(t *testing.T) {
	for answer, left := range map[string]int{"n\n": 2, "y\n": 0} {
		h := newRegionsHarness(t)
		if status := h.run("deploy me/x:1 --regions us-south,eu-de -q"); status != exitDone {
			t.Fatal(h.err.String())
		}
		h.View.InTTY, h.View.In = true, strings.NewReader(answer)
		if status := h.run("delete all --regions eu-de,us-south"); status != exitDone {
			t.Fatal(h.err.String())
		}
		if n := strings.Count(h.err.String(), "[y/N]"); n != 1 || !strings.Contains(h.err.String(), "Delete 2 runtimes") {
			t.Errorf("asked %d times: %s", n, h.err.String())
		}
		if n := len(h.compute["us-south"].All()) + len(h.compute["eu-de"].All()); n != left {
			t.Errorf("%q: %d actions remain, want %d", answer, n, left)
		}
	}
}

func TestSharedBucketIsEmptiedOnce(t *testing.T) {
	h := newRegionsHarness(t)
	if status := h.run("deploy me/x:1 --regions us-south,eu-de -q"); status != exitDone {
		t.Fatal(h.err.String())
	}
	h.store.Set("lithops.jobs/a/b", nil, time.Now())
	h.store.Set("lithops.jobs-old/a", nil, time.Now())
	var doc resultDoc
	if status := h.json(t, &doc, "clean --regions us-south,eu-de -f"); status != exitDone {
		t.Fatalf("%d %+v", status, doc)
	}
	purged := 0
	for _, it := range doc.Items {
		if it.Kind == "objects" {
			purged += it.Count
		}
	}
	if purged != 3 || !slices.Equal(h.store.Keys(), []string{"lithops.jobs-old/a"}) {
		t.Errorf("%d objects counted, left %v", purged, h.store.Keys())
	}
	if n := len(h.compute["us-south"].All()) + len(h.compute["eu-de"].All()); n != 0 {
		t.Errorf("%d actions remain, want 0", n)
	}
}

// builder is a fake Images that counts builds.
type builder struct {
	site.Images
	mu     sync.Mutex
	builds int
}

func TestInvalidRegions(t *testing.T) {
	for _, line := range []string{"list --regions moon", "list --regions us-sout", "list --regions us-south -r eu-de", "list -b local --regions all", "list --regions ,"} {
		h := newRegionsHarness(t)
		if status := h.run(line); status != exitUsage || len(h.jobs) > 0 {
			t.Errorf("%s: %d", line, status)
		}
	}
}

func TestApplyDeploysToTheRegionsOfTheFile(t *testing.T) {
	h := newRegionsHarness(t)
	b := &builder{}
	open := h.Service
	h.Service = func(ctx context.Context, o connect.Options) (*runtime.Service, error) {
		s, err := open(ctx, o)
		if err == nil {
			s.Images = b
		}
		return s, err
	}
	file := filepath.Join(t.TempDir(), "r.yaml")
	text := "runtimes:\n- image: me/a:1\n- image: me/b:1\n  regions: [us-south, eu-de]\n- image: me/c:1\n  regions: all\n  build: .\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var doc resultDoc
	if status := h.json(t, &doc, "apply "+file); status != exitDone {
		t.Fatalf("%d %+v", status, doc)
	}
	want := map[string]int{"us-south": 3, "eu-de": 2, "eu-gb": 1, "us-east": 1, "jp-tok": 1, "au-syd": 1}
	for region, n := range want {
		if got := len(h.compute[region].All()); got != n {
			t.Errorf("%s has %d actions, want %d", region, got, n)
		}
	}
	if b.builds != 1 {
		t.Errorf("%d builds, want 1", b.builds)
	}
	if err := os.WriteFile(file, []byte("runtimes:\n- image: me/a:1\n  regions: us-suoth\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := h.json(t, &doc, "apply "+file); status != exitFailed || !strings.Contains(doc.Error.Message, ":2:10: ") || !strings.Contains(doc.Error.Message, "'us-south'") {
		t.Errorf("%d %+v", status, doc)
	}
}

// A build context outside the directory of the file is an error before any file is read or sent. With --allow-outside
// it is only a warning.
func TestApplyRejectsOutsideContextUnlessAllowed(t *testing.T) {
	h := newRegionsHarness(t)
	b := &builder{}
	open := h.Service
	h.Service = func(ctx context.Context, o connect.Options) (*runtime.Service, error) {
		s, err := open(ctx, o)
		if err == nil {
			s.Images = b
		}
		return s, err
	}
	base := t.TempDir()
	file := filepath.Join(base, "cloned", "r.yaml")
	if err := errors.Join(os.MkdirAll(filepath.Join(base, "secrets"), 0o700), os.MkdirAll(filepath.Dir(file), 0o700),
		os.WriteFile(file, []byte("runtimes:\n- image: me/a:1\n  build: ../secrets\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var doc resultDoc
	if status := h.json(t, &doc, "apply "+file); status != exitFailed || !strings.Contains(doc.Error.Message, "secrets is outside the directory") || b.builds > 0 {
		t.Errorf("%d %+v, %d builds", status, doc, b.builds)
	}
	doc = resultDoc{}
	if status := h.json(t, &doc, "apply --allow-outside "+file); status != exitDone || b.builds != 1 || !strings.Contains(h.err.String(), "is built from") {
		t.Errorf("%d %+v, %d builds; %s", status, doc, b.builds, &h.err)
	}
}

func (b *builder) Build(context.Context, entity.ImageBuild, io.Writer) (entity.ImageBuilt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.builds++
	return entity.ImageBuilt{Digest: "sha256:" + strings.Repeat("a", 64)}, nil
}

func (b *builder) Digest(context.Context, string, bool) (string, error) { return "", errRefused }

func (b *builder) Fingerprint(context.Context, entity.ImageBuild) (string, error) { return "one", nil }

func (*builder) Superseded(context.Context) ([]entity.SupersededImage, error) { return nil, nil }

func (*builder) Remove(context.Context, entity.SupersededImage) error { return nil }
