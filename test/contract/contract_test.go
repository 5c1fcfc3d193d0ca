// Package contract proves runtime/lithops against the releases of Lithops themselves: their own functions make names
// from generated configurations, and ours must make the same.
//
// What may go in: comparisons with real packages. What may not: expected values written down by hand. The packages
// come from PyPI and are kept in a cache; without pip or a fitting Python the tests fail.
package contract

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
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

type question struct {
	Path     []string   `json:"path"`
	Temp     string     `json:"temp"`
	Work     string     `json:"work"`
	Cases    []testCase `json:"cases"`
	Searches [][]string `json:"searches"`
	Scalars  []string   `json:"scalars"`
	Names    []string   `json:"names"`
}

type answer struct {
	Version string
	Compute []struct {
		Package, Region, Namespace, Endpoint string
		UserKey                              string `json:"user_key"`
		Names                                [][2]string
		Images                               []string
		Memory, Timeout                      int
		Storage                              struct{ Backend, Bucket, Region, Endpoint string }
	}
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
	for _, v := range strings.Fields(os.Getenv("FN_RUNTIME_RELEASES")) { // any other, to look into one
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
			against(t, version, releases[version], seed)
		})
	}
}

func against(t *testing.T, version, python string, seed uint64) {
	dir := install(t, python, "lithops=="+version)
	yaml := install(t, python, "PyYAML")
	random := maker{rand.New(rand.NewPCG(seed, 1)), version}
	home, work := t.TempDir(), t.TempDir()
	q := question{Path: []string{dir, yaml}, Temp: t.TempDir(), Work: work, Searches: searches, Scalars: scalars}
	for range casesPerRelease {
		q.Cases = append(q.Cases, random.next())
	}
	for range 200 {
		q.Names = append(q.Names, random.image()+random.pick("", "", "X", " ", "@", "é", ":", "/"))
	}
	a := ask(t, python, home, q)
	if a.Version != version {
		t.Fatalf("asked %s, got %s", version, a.Version)
	}

	in := lithops.Install{Dir: filepath.Join(dir, "lithops"), Version: version}
	for i, c := range q.Cases {
		compareNames(t, in, c, a, i)
	}
	compareDefaults(t, version, a)
	compareArchives(t, in, a)
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

func ask(t *testing.T, python, home string, q question) (a answer) {
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
	last := out.Bytes()[bytes.LastIndexByte(out.Bytes(), '\n')+1:] // some releases print on the way
	if err := json.Unmarshal(last, &a); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return a
}

func compareNames(t *testing.T, in lithops.Install, c testCase, a answer, i int) {
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
	if compute.Namespace == "" {
		compute.Namespace = lithops.DefaultNamespace(in.Version, compute.Region, key)
	}
	contract := lithops.Contract{Backend: c.Backend, Version: in.Version, UserKey: key, Region: compute.Region, Namespace: compute.Namespace}
	fail("user key", key, theirs.UserKey)
	fail("package", contract.Package(), theirs.Package)
	fail("region", compute.Region, theirs.Region)
	fail("namespace", compute.Namespace, theirs.Namespace)
	fail("memory", compute.RuntimeMemory, theirs.Memory)
	fail("timeout", compute.RuntimeTimeout, theirs.Timeout)
	if compute.Endpoint != "" {
		fail("endpoint", compute.Endpoint, theirs.Endpoint)
	}
	n := 0
	for j, image := range c.Images {
		fail("image", lithops.Image(image, compute.DockerServer, in.Version), theirs.Images[j])
		for _, memory := range c.Memories {
			action := contract.Action(image, memory)
			fail("action", action, theirs.Names[n][0])
			fail("key", contract.MetadataKey(action), theirs.Names[n][1])
			if m, v, ok := lithops.ParseAction(theirs.Package, theirs.Names[n][0]); !ok || m != memory || v != in.Version {
				t.Errorf("ParseAction(%q, %q) = %d, %q, %v", theirs.Package, theirs.Names[n][0], m, v, ok)
			}
			ref, ok := lithops.ParseMetadataKey(theirs.Names[n][1])
			want := lithops.MetadataRef{Backend: c.Backend, Version: in.Version, Region: theirs.Region, Namespace: theirs.Namespace, Action: action, MemoryMB: memory}
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
	if err := storage.Validate(); err != nil {
		t.Errorf("case %d: Lithops takes what Validate refuses: %v\n%s", i, err, c.YAML)
	}
	fail("storage", storage.Backend, theirs.Storage.Backend)
	fail("bucket", storage.Bucket, theirs.Storage.Bucket)
	fail("storage endpoint", storage.Endpoint, theirs.Storage.Endpoint)
	if theirs.Storage.Region != "" {
		fail("storage region", storage.Region, theirs.Storage.Region)
	}
}

func compareDefaults(t *testing.T, version string, a answer) {
	t.Helper()
	for _, b := range []lithops.Backend{lithops.IBMCF, lithops.OpenWhisk} {
		for minor := 4; minor <= 20; minor++ {
			py := fmt.Sprintf("3.%d", minor)
			ours, err := lithops.DefaultImage(b, version, py)
			if theirs := a.Defaults[string(b)][py]; ours != theirs || (err == nil) != (theirs != "") {
				t.Errorf("DefaultImage(%s, %s, %s) = %q, %v; Lithops: %q", b, version, py, ours, err, theirs)
			}
		}
	}
}

// compareArchives compares names and contents, both with what Lithops packs and with what our digest stands for.
func compareArchives(t *testing.T, in lithops.Install, a answer) {
	t.Helper()
	for _, b := range []lithops.Backend{lithops.IBMCF, lithops.OpenWhisk} {
		bundle, err := lithops.BuildBundle(context.Background(), in, b)
		if err != nil {
			t.Fatal(err)
		}
		data, err := base64.StdEncoding.DecodeString(bundle.Base64)
		if err != nil {
			t.Fatal(err)
		}
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		ours := map[string]string{}
		list := sha256.New()
		for _, f := range archive.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			if _, err := io.Copy(h, r); err != nil {
				t.Fatal(err)
			}
			ours[f.Name] = fmt.Sprintf("%x", h.Sum(nil))
			fmt.Fprintf(list, "%s  %s\n", ours[f.Name], f.Name)
		}
		if d := cmp.Diff(a.Archives[string(b)], ours); d != "" {
			t.Errorf("archive of %s: Lithops -, ours +\n%s", b, d)
		}
		if got := fmt.Sprintf("%x", list.Sum(nil)); got != bundle.SHA256 || bundle.Files != len(ours) || bundle.Size != int64(len(data)) {
			t.Errorf("bundle says %s, %d files, %d bytes; it holds %s, %d, %d", bundle.SHA256, bundle.Files, bundle.Size, got, len(ours), len(data))
		}
	}
}

var searches = [][]string{{}, {"work"}, {"home"}, {"old"}, {"env"}, {"work", "home"}, {"home", "old"}, {"env", "work", "home", "old"}}

// compareFiles compares which file is loaded when several exist.
func compareFiles(t *testing.T, version string, a answer, q question) {
	t.Helper()
	for i, search := range q.Searches {
		home, work := t.TempDir(), t.TempDir()
		places := map[string]string{"work": filepath.Join(work, ".lithops_config"), "home": filepath.Join(home, ".lithops", "config"),
			"old": filepath.Join(home, ".lithops_config"), "env": filepath.Join(work, "named")}
		env := map[string]string{}
		for _, name := range search {
			if err := os.MkdirAll(filepath.Dir(places[name]), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(places[name], []byte("lithops: {backend: ibm_cf}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if name == "env" {
				env["LITHOPS_CONFIG_FILE"] = places[name]
			}
		}
		c, err := lithops.Load(lithops.LoadOptions{Getenv: func(n string) string { return env[n] }, Home: home, WorkDir: work, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		if want := places[a.Files[i]]; c.Source() != want && !(want == "" && c.Source() == "/etc/lithops/config") {
			t.Errorf("with %v we load %q, Lithops %q", search, c.Source(), want)
		}
	}
}

var scalars = []string{"256", "'256'", `"256"`, "0x1F", "017", "0o17", "1_000", "1e5", "1.5", "yes", "No", "on", "y", "true", "~", "null", "''",
	"190:20:30", "2001-12-14", "-5", "+7", "08", "1.0e+3", ".inf", "abc", "a: b", "!!str 12", "!!int '12'", "0b101", "12:30", "=", "eu-de", "1 2", "<<", "'x' # y"}

// compareScalars compares what a value is: a text, a number, or neither.
func compareScalars(t *testing.T, a answer) {
	t.Helper()
	for i, s := range scalars {
		file := filepath.Join(t.TempDir(), "config")
		text := "openwhisk:\n  %s: " + s + "\n"
		load := func(key string) (lithops.Compute, error) {
			if err := os.WriteFile(file, fmt.Appendf(nil, text, key), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := lithops.Load(lithops.LoadOptions{File: file})
			if err != nil {
				return lithops.Compute{}, err
			}
			return c.Compute(lithops.OpenWhisk, lithops.Install{})
		}
		kind, value := a.Scalars[i][0].(string), a.Scalars[i][1]
		asText, textErr := load("endpoint")
		asNumber, numberErr := load("runtime_memory")
		switch {
		case kind == "str" && (textErr != nil || asText.Endpoint != value):
			t.Errorf("%s is the text %q, we say %q, %v", s, value, asText.Endpoint, textErr)
		case kind != "str" && kind != "NoneType" && textErr == nil:
			t.Errorf("%s is a %s, we take it for the text %q", s, kind, asText.Endpoint)
		case kind == "int" && !strings.Contains(s, ":") && (numberErr != nil || float64(asNumber.RuntimeMemory) != value):
			t.Errorf("%s is the number %v, we say %d, %v", s, value, asNumber.RuntimeMemory, numberErr)
		case kind != "int" && kind != "NoneType" && numberErr == nil:
			t.Errorf("%s is a %s, we take it for the number %d", s, kind, asNumber.RuntimeMemory)
		}
	}
}
