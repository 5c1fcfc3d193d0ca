package lithops

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

const someKey = "lithops.runtimes/ibm_cf/3.8.0/us-south/ns/img_256MB_3.8.0.meta.json"

func TestCacheMetadata(t *testing.T) {
	c := Cache{Dir: CacheDir(t.TempDir())}
	if _, err := c.ReadMetadata(someKey); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want %s", err, fault.NotFound)
	}
	if err := c.RemoveMetadata(someKey); err != nil {
		t.Errorf("removing a missing file: %v", err)
	}
	for _, text := range []string{"one", "two"} {
		if err := c.WriteMetadata(someKey, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if data, err := c.ReadMetadata(someKey); err != nil || string(data) != text {
			t.Errorf("%q, %v", data, err)
		}
	}
	path, _ := c.Path(someKey)
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Stat(p); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("temporary files remain: %v", entries)
	}
	if err := c.RemoveMetadata(someKey); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadMetadata(someKey); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want %s", err, fault.NotFound)
	}
}

func TestCacheRejectsPathsOutside(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	for _, key := range []string{"", "x", "../x", "lithops.runtimes/../../x", "/etc/passwd", "lithops.runtimes", "lithops.runtimes/../config"} {
		if err := c.WriteMetadata(key, nil); !fault.Is(err, fault.Invalid) && key != "lithops.runtimes/../config" {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, name := range []string{"", "../x", "a/b", `a\b`, ".."} {
		if err := c.WriteNamespace(IBMCF, entity.Scope{Name: name, ID: "x"}); name != ".." && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCacheNamespace(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	for _, ns := range []entity.Scope{{ID: "8e1d3c0a-0000", Name: "lithops-us-south-abcd"}, {ID: "123", Name: "456"}, {ID: "no", Name: "a'b: c"}, {ID: "-x", Name: "y"}} {
		if err := c.WriteNamespace(IBMCF, ns); err != nil {
			t.Fatal(err)
		}
		if got, err := c.ReadNamespace(IBMCF, ns.Name); err != nil || got != ns {
			t.Errorf("%+v, %v", got, err)
		}
		if err := c.RemoveNamespace(IBMCF, ns.Name); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "namespace: x\nnamespace_id: null\n", "namespace_id:\n", "[", "- a", "namespace_id: {a: b}"} {
		path, _ := c.namespacePath(IBMCF, "x")
		writeFile(t, path, text, 0o600)
		if ns, err := c.ReadNamespace(IBMCF, "x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %+v, %v", text, ns, err)
		}
	}
}

func TestCacheRemoveAll(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	keep := []string{"lithops.runtimes/openwhisk/3.8.0/guest/a_1MB_3.8.0.meta.json", "lithops.runtimes/2.6.0/openwhisk/guest/a_1MB.meta.json"}
	removed := []string{someKey, "lithops.runtimes/2.6.0/ibm_cf/us-south/ns/a_1MB.meta.json"}
	for _, k := range append(keep, removed...) {
		if err := c.WriteMetadata(k, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.RemoveAll(IBMCF); err != nil {
		t.Fatal(err)
	}
	for _, k := range keep {
		if _, err := c.ReadMetadata(k); err != nil {
			t.Error(err)
		}
	}
	for _, k := range removed {
		if _, err := c.ReadMetadata(k); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", k, err)
		}
	}
	if err := (Cache{Dir: filepath.Join(t.TempDir(), "absent")}).RemoveAll(IBMCF); err != nil {
		t.Errorf("missing directory: %v", err)
	}
}

func TestTempDir(t *testing.T) {
	tmp := t.TempDir()
	if got, want := TempDir("3.8.0", env("TMPDIR", tmp, "USER", "../x")), filepath.Join(tmp, "lithops-x"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	dir := TempDir("2.7.1", env("TMPDIR", tmp))
	if dir != filepath.Join(tmp, "lithops") {
		t.Error(dir)
	}
	outside := t.TempDir()
	if err := os.Symlink(outside, dir); err != nil {
		t.Fatal(err)
	}
	if got := TempFiles(dir); got != nil {
		t.Errorf("got %v for a link, want nothing", got)
	}
	_ = os.Remove(dir)
	for _, name := range []string{"jobs/a/b", "logs/x.log", "functions.log", "cleaner/request", "my-bucket/data.csv"} {
		writeFile(t, filepath.Join(dir, name), "x", 0o600)
	}
	if err := os.Mkdir(filepath.Join(dir, "modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := TempFiles(dir)
	want := []string{filepath.Join(dir, "jobs"), filepath.Join(dir, "logs"), filepath.Join(dir, "functions.log")}
	if !slices.Equal(files, want) {
		t.Errorf("got %v, want %v", files, want)
	}
	if err := RemoveTemp(files); err != nil {
		t.Fatal(err)
	}
	if got := TempFiles(dir); got != nil {
		t.Errorf("after RemoveTemp got %v, want nothing", got)
	}
	for _, name := range []string{"jobs", "cleaner/request", "my-bucket/data.csv"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: got %v, want the file to be kept", name, err)
		}
	}
}

func TestRequiredModules(t *testing.T) {
	for _, tc := range []struct {
		version, storage string
		has, hasNot      string
	}{{"3.8.0", Minio, "psutil", "ibm_boto3"}, {"3.8.0", IBMCOS, "ibm_cloud_sdk_core", "boto3"}, {"2.6.0", IBMCOS, "cloudpickle", "psutil"}, {"2.2.5", AWSS3, "six", "tblib"}} {
		found := map[string]bool{}
		for _, m := range RequiredModules(tc.version, tc.storage) {
			found[m] = true
		}
		if !found[tc.has] || found[tc.hasNot] {
			t.Errorf("%+v: %v", tc, found)
		}
	}
}
