// Package contract tests runtime/lithops against the releases of Lithops themselves: Lithops' functions derive names
// from generated configurations, and our functions must derive the same names.
//
// It contains comparisons with real packages, not expected values written by hand. The packages come from PyPI and are
// kept in a cache. The tests fail without pip or a suitable Python.
package contract

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/lithops"
)

//go:embed client.py
var clientScript string

const casesPerRelease = 40

type request struct {
	Path     []string   `json:"path"`
	Temp     string     `json:"temp"`
	Work     string     `json:"work"`
	Cases    []testCase `json:"cases"`
	Damaged  []testCase `json:"damaged"`
	Searches [][]string `json:"searches"`
	Scalars  []string   `json:"scalars"`
	Names    []string   `json:"names"`
	Jobs     bool       `json:"jobs"`
}

type response struct {
	Version string
	Compute []struct {
		Package, Region, Namespace, Endpoint string
		UserKey                              string `json:"user_key"`
		Names                                [][2]string
		Images                               []string
		Memory, Timeout                      int
		Storage                              struct{ Backend, Bucket, Region, Endpoint, Private string }
		Default, Python                      string // of code_engine
		CPU                                  float64
	}
	Scales   [][2]int
	Refusals []string
	Defaults map[string]map[string]string
	Archives map[string]map[string]string
	Files    []string
	Scalars  [][2]any
	Accepted []bool
	Temp     string
	Cache    string
}

func TestAgainstReleases(t *testing.T) {
	seed := uint64(20261124)
	if s := os.Getenv("FN_RUNTIME_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	old := python(t, "3.8", "3.7", "3.9")
	current := python(t, "3.11", "3.10", "3.12")
	releases := map[string]string{
		"2.2.16": old, "2.3.1": old, "2.5.9": old, "2.6.0": old, "2.7.1": old, "2.8.0": old, "2.9.0": old,
		"3.1.2": current, "3.6.4": current, "3.7.0": current,
	}
	for v := range strings.FieldsSeq(os.Getenv("FN_RUNTIME_RELEASES")) { // additional releases to check
		releases[v] = old
		if !less(v, "3.1.0") {
			releases[v] = current
		}
	}
	releases[newestRelease(t, current)] = current
	for _, version := range slices.Sorted(maps.Keys(releases)) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d: run again with FN_RUNTIME_SEED=%[1]d", seed)
			compareRelease(t, version, releases[version], seed)
		})
	}
}

func compareRelease(t *testing.T, version, python string, seed uint64) {
	dir := install(t, python, "lithops=="+version)
	yaml := install(t, python, "PyYAML")
	random := generator{rand.New(rand.NewPCG(seed, 1)), version}
	home, work := t.TempDir(), t.TempDir()
	q := request{Path: []string{dir, yaml}, Temp: t.TempDir(), Work: work, Searches: searches, Scalars: scalars, Jobs: random.jobs()}
	for range casesPerRelease {
		q.Cases = append(q.Cases, random.next())
	}
	for range casesPerRelease {
		q.Damaged = append(q.Damaged, random.damaged())
	}
	in := lithops.Install{Dir: filepath.Join(dir, "lithops"), Version: version}
	for _, c := range q.Cases[:casesPerRelease] {
		q.Cases = append(q.Cases, rewritten(t, in, c))
	}
	if !random.before("2.4.0") { // older releases cannot use the storage of the local endpoint
		q.Cases = append(q.Cases, localEndpointConfig(t, in, random))
	}
	for _, c := range q.Cases[:casesPerRelease] {
		if random.jobs() && c.Backend == lithops.IBMCF {
			q.Cases = append(q.Cases, migrated(t, in, c))
		}
	}
	for range 200 {
		q.Names = append(q.Names, random.image()+random.choose("", "", "X", " ", "@", "é", ":", "/"))
	}
	a := queryClient(t, python, home, q)
	if a.Version != version {
		t.Fatalf("asked %s, got %s", version, a.Version)
	}

	for i, c := range q.Cases {
		compareNames(t, in, c, a, i)
	}
	for i, c := range q.Damaged {
		compareRejection(t, in, c, a.Refusals[i])
	}
	compareRewritten(t, q, a)
	compareDefaults(t, version, a)
	compareArchives(t, in, a)
	compareScales(t, a)
	compareFiles(t, version, a, q)
	compareScalars(t, a)
	for i, name := range q.Names {
		if lithops.ValidateImage(name) == nil && !a.Accepted[i] {
			t.Errorf("ValidateImage takes %q, Lithops does not", name)
		}
	}
	getenv := func(name string) string { return map[string]string{"USER": "someone"}[name] }
	if got := lithops.TempDir(version, getenv); got != a.Temp {
		t.Errorf("TempDir: %s, Lithops: %s", got, a.Temp)
	}
	if got := lithops.CacheDir(home); got != a.Cache {
		t.Errorf("CacheDir: %s, Lithops: %s", got, a.Cache)
	}
}

func queryClient(t *testing.T, python, home string, q request) (a response) {
	t.Helper()
	input, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-S", "-B", "-c", clientScript)
	cmd.Env = []string{"HOME=" + home, "USER=someone", "PATH=" + os.Getenv("PATH")}
	cmd.Dir = q.Work
	cmd.Stdin = bytes.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	last := out.Bytes()[bytes.LastIndexByte(out.Bytes(), '\n')+1:] // some releases print additional output
	if err := json.Unmarshal(last, &a); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return a
}

func compareNames(t *testing.T, in lithops.Install, c testCase, a response, i int) {
	t.Helper()
	fail := func(what string, ours, theirs any) {
		if d := cmp.Diff(theirs, ours); d != "" {
			t.Errorf("case %d, %s: Lithops -, ours +\n%s\n%s", i, what, d, c.YAML)
		}
	}
	theirs := a.Compute[i]
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(c.YAML), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := lithops.Load(lithops.LoadOptions{File: file, Version: in.Version})
	if err != nil {
		t.Fatalf("case %d: %v\n%s", i, err, c.YAML)
	}
	backend, err := config.Backend()
	if err != nil || backend != string(c.Backend) {
		t.Fatalf("case %d: backend %q, %v\n%s", i, backend, err, c.YAML)
	}
	compute, err := config.Compute(c.Backend, in)
	if err != nil {
		t.Fatalf("case %d: %v\n%s", i, err, c.YAML)
	}
	if err := compute.Validate(in.Version); err != nil {
		t.Errorf("case %d: Lithops takes what Validate refuses: %v\n%s", i, err, c.YAML)
	}
	key, err := lithops.UserKey(c.Backend, in.Version, compute)
	if err != nil {
		t.Fatalf("case %d: %v\n%s", i, err, c.YAML)
	}
	fail("user key", key, theirs.UserKey)
	contract := lithops.Contract{Backend: c.Backend, Version: in.Version, UserKey: key, Region: compute.Region, Namespace: compute.Namespace}
	if contract.Namespace == "" {
		contract.Namespace = lithops.DefaultNamespace(in.Version, compute.Region, key)
	}
	if c.Backend == lithops.CodeEngine {
		contract.Namespace = compareProject(t, in, c, compute, key, a, i)
	} else {
		fail("package", contract.Package(), theirs.Package)
	}
	fail("region", compute.Region, theirs.Region)
	fail("namespace", contract.Namespace, theirs.Namespace)
	fail("memory", compute.RuntimeMemory, theirs.Memory)
	fail("timeout", compute.RuntimeTimeout, theirs.Timeout)
	if compute.Endpoint != "" {
		fail("endpoint", compute.Endpoint, theirs.Endpoint)
	}
	n := 0
	for j, image := range c.Images {
		fail("image", lithops.Image(image, compute.DockerServer, in.Version), theirs.Images[j])
		for _, memory := range c.Memories {
			id, metadata := contract.Runtime(image, memory)
			fail("name", id.Name, theirs.Names[n][0])
			fail("key", metadata, theirs.Names[n][1])
			if c.Backend == lithops.CodeEngine {
				n++
				continue
			}
			if m, v, ok := lithops.ParseAction(theirs.Package, theirs.Names[n][0]); !ok || m != memory || v != in.Version {
				t.Errorf("ParseAction(%q, %q) = %d, %q, %v", theirs.Package, theirs.Names[n][0], m, v, ok)
			}
			ref, ok := lithops.ParseMetadataKey(theirs.Names[n][1])
			want := lithops.MetadataRef{Backend: c.Backend, Version: in.Version, Region: theirs.Region, Namespace: theirs.Namespace, Action: id.Name, MemoryMB: memory}
			if !ok || ref != want {
				t.Errorf("ParseMetadataKey(%q) = %+v, %v", theirs.Names[n][1], ref, ok)
			}
			n++
		}
	}
	storage, err := config.Storage(compute, in)
	if err != nil {
		t.Fatalf("case %d: %v\n%s", i, err, c.YAML)
	}
	if err := storage.Validate(); err != nil && lithops.CheckBucket(storage.Bucket) == nil { // the client may derive a bucket name that no object store accepts
		t.Errorf("case %d: Lithops takes what Validate refuses: %v\n%s", i, err, c.YAML)
	}
	fail("storage", storage.Backend, theirs.Storage.Backend)
	fail("bucket", storage.Bucket, theirs.Storage.Bucket)
	fail("storage endpoint", storage.Endpoint, theirs.Storage.Endpoint)
	if c.Backend == lithops.CodeEngine {
		fail("endpoint of workers", storage.PrivateEndpoint, theirs.Storage.Private)
	}
	if theirs.Storage.Region != "" {
		fail("storage region", storage.Region, theirs.Storage.Region)
	}
}
