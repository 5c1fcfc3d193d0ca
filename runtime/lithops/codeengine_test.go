package lithops

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// Runtimes that differ only in their memory share a metadata key. The names are those that client 3.8.0 created.
func TestRuntimesOfAnImageShareMetadata(t *testing.T) {
	c := Contract{Backend: CodeEngine, Version: "3.8.0", UserKey: "ab0d", Region: "eu-de", Namespace: "1111-22"}
	const image = "docker.io/lithopscloud/ce-test-v311:01"
	const key = "lithops.runtimes/code_engine/3.8.0/eu-de/1111-22/lithops-worker-ab0d-380-d1c82283de.meta.json"
	for memory, want := range map[int]string{256: "lithops-worker-ab0d-380-d1c82283de", 512: "lithops-worker-ab0d-380-7b36c78b47"} {
		id, gotKey := c.Runtime(image, memory)
		if id != (entity.ID{Name: want}) || gotKey != key {
			t.Errorf("%d MB: got %v, %s, want %s, %s", memory, id, gotKey, want, key)
		}
		if err := c.ValidateNames(id.Name, image); err != nil {
			t.Error(err)
		}
	}
	ref, ok := ParseMetadataKey(key)
	want := MetadataRef{Backend: CodeEngine, Version: "3.8.0", Region: "eu-de", Namespace: "1111-22", Action: "lithops-worker-ab0d-380-d1c82283de", UserKey: "ab0d"}
	if d := cmp.Diff(want, ref); !ok || d != "" {
		t.Errorf("ParseMetadataKey: want -, got +\n%s", d)
	}
}

func TestParseJob(t *testing.T) {
	for name, want := range map[string][2]string{
		"lithops-worker-ab0d-380-d1c82283de":      {"ab0d", "380"},
		"lithops-worker-a-9b-381dev0-d1c82283de":  {"a-9b", "381dev0"},
		"lithops-worker---0--380-d1c82283de":      {"--0-", "380"},
		"lithops-worker-291-d1c82283de":           {"", "291"},
		"lithops-worker-ab0d-380-d1c82283d":       {},
		"lithops-worker-ab0d-380-D1C82283DE":      {},
		"lithops-runtime-metadata":                {},
		"other-lithops-worker-ab0d-380-d1c82283d": {},
	} {
		key, version, ok := ParseJob(name)
		if got := [2]string{key, version}; got != want || ok != (want[1] != "") {
			t.Errorf("ParseJob(%q) = %q, %v", name, got, ok)
		}
	}
	for _, key := range []string{
		"lithops.runtimes/code_engine/3.7.0/eu-de/ns/lithops-worker-ab0d-380-d1c82283de.meta.json", // two versions
		"lithops.runtimes/code_engine/3.8.0/eu-de//lithops-worker-ab0d-380-d1c82283de.meta.json",   // no namespace
		"lithops.runtimes/code_engine/3.8.0/ns/lithops-worker-ab0d-380-d1c82283de.meta.json",       // no region
		"lithops.runtimes/code_engine/3.8.0/eu-de/ns/img_256MB_3.8.0.meta.json",                    // OpenWhisk format
	} {
		if ref, ok := ParseMetadataKey(key); ok {
			t.Errorf("ParseMetadataKey(%q) = %+v", key, ref)
		}
	}
}

func TestValidateNamesForCodeEngine(t *testing.T) {
	c := Contract{Backend: CodeEngine, Version: "3.8.0", UserKey: "a.cd"}
	id, _ := c.Runtime("me/img", 256)
	var invalid *fault.Fault
	if err := c.ValidateNames(id.Name, "me/image"); !errors.As(err, &invalid) || invalid.Kind != fault.Invalid || !strings.Contains(invalid.Recovery.String(), "key without a '.'") {
		t.Errorf("got %v, want an error for the dot in the job name", err)
	}
	c.UserKey = "abcd"
	id, _ = c.Runtime("me/img", 256)
	for image, good := range map[string]bool{
		"docker.io/lithopscloud/openwhisk-python-v311": true, "us.icr.io/space/name:1.0": true, "localhost:5000/me/image": true, "127.0.0.1:5000/image": true,
		"me/image": true, "docker.io/me/image": true, "ab": false, "registry.example.com:443/team/image": false, "docker.io/team/" + strings.Repeat("a", 250): false,
	} {
		if err := c.ValidateNames(id.Name, image); (err == nil) != good {
			t.Errorf("%s: %v", image, err)
		}
	}
}

func TestCodeEngineRequiresRelease37(t *testing.T) {
	config := &Config{}
	_, err := config.Compute(CodeEngine, Install{Version: "3.6.4"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "3.7.0") {
		t.Errorf("got %v", err)
	}
	for _, version := range []string{"3.7.0", "3.8.0", "3.9.0.dev1", "4.0.0"} {
		if _, err := config.Compute(CodeEngine, Install{Version: version}); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	if err := CheckRelease(IBMCF, "2.2.0"); err != nil {
		t.Error(err)
	}
}

// Cache files of releases before 3.7 contain the Kubernetes namespace, and the client continues to use it.
func TestOutdatedProjectCache(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	const name = "lithops-eu-de-ab0d"
	if _, err := c.ReadProject(name); !fault.Is(err, fault.NotFound) {
		t.Fatalf("got %v", err)
	}
	writeFile(t, filepath.Join(c.Dir, "code_engine", name+"_data"), "namespace: 4svg40kna19\nproject_id: 1111-22\nproject_name: "+name+"\n", 0o644)
	old, err := c.ReadProject(name)
	if err != nil || !old.Outdated() {
		t.Fatalf("got %+v, %v", old, err)
	}
	for want, compute := range map[string]Compute{
		"4svg40kna19": {}, "own": {Namespace: "own"}, "1111-22": {ProjectID: "gone", Namespace: "own"},
	} {
		if got := ProjectNamespace(compute, old, "1111-22"); got != want {
			t.Errorf("%+v: got %s, want %s", compute, got, want)
		}
	}
	if got := ProjectNamespace(Compute{}, old, "3333-44"); got != "3333-44" {
		t.Errorf("with a new project ID, got namespace %s, want 3333-44", got)
	}
	want := Project{Name: name, ID: "1111-22", Namespace: "1111-22"}
	if err := c.WriteProject(want); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadProject(name); err != nil || got != want || got.Outdated() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSmallestJobSize(t *testing.T) {
	for mb, want := range map[int]JobSize{256: {125, 256}, 1024: {125, 1024}, 2048: {250, 2048}, 8192: {1000, 8192}, 12288: {6000, 12288}, 49152: {6000, 49152}} {
		if got, err := SmallestJobSize(mb); err != nil || got != want || got.Check() != nil {
			t.Errorf("%d MB: got %v, %v", mb, got, err)
		}
	}
	for _, mb := range memories() {
		s, err := SmallestJobSize(mb)
		if err != nil {
			t.Fatal(err)
		}
		back, ok := ParseJobSize(FormatCPU(s.MilliCPU), FormatMemory(mb))
		if !ok || back != s {
			t.Errorf("got %v, want %v", back, s)
		}
	}
	for _, mb := range []int{0, 128, 300, 6144, 65536} {
		if _, err := SmallestJobSize(mb); !fault.Is(err, fault.Usage) {
			t.Errorf("%d MB: %v", mb, err)
		}
	}
	for s, rejected := range map[JobSize]bool{{125, 2048}: false, {1000, 2048}: true, {3000, 4096}: true, {125, 256}: false, {6000, 49152}: true} {
		if got := s.RejectedByClient(); got != rejected {
			t.Errorf("%v: RejectedByClient got %v, want %v", s, got, rejected)
		}
	}
	if err := (JobSize{125, 2048}).Check(); !fault.Is(err, fault.Usage) {
		t.Errorf("got %v, want an error for an unsupported combination", err)
	}
	for _, limits := range [][2]string{{"", "1G"}, {"1", ""}, {"x", "1G"}, {"1", "NaNG"}, {"-1", "1G"}, {"1", "1e99G"}} {
		if s, ok := ParseJobSize(limits[0], limits[1]); ok {
			t.Errorf("%q: got %v, want an error", limits, s)
		}
	}
}

func TestParseJobSizeAcceptsAnyInput(t *testing.T) {
	if err := quick.Check(func(cpu, memory string) bool {
		s, ok := ParseJobSize(cpu, memory)
		return ok == (s != JobSize{})
	}, nil); err != nil {
		t.Error(err)
	}
}

// The bootstrap program runs the entry point as the main program, and the package can be imported.
func TestBootstrapRunsTheCode(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	dir := fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0")
	writeFile(t, filepath.Join(dir, "serverless", "backends", "code_engine", "entry_point.py"),
		"import lithops.version, os\nif __name__ == '__main__':\n    print(lithops.version.__version__, os.environ['ACTION'])\n", 0o644)
	in := Install{Dir: dir, Version: "3.8.0"}
	bundle := build(t, in, CodeEngine)
	if again := build(t, in, CodeEngine); again != bundle {
		t.Error("identical files result in different archives")
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, []byte(bundle.Base64), 0o600); err != nil {
		t.Fatal(err)
	}
	_, args := Bootstrap(file)
	if strings.Contains(strings.Join(args, ""), "$(") { // Kubernetes would expand it
		t.Error("the bootstrap program contains a variable reference")
	}
	cmd := exec.Command(python, args...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "ACTION=metadata", "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if got := string(out); err != nil || got != "3.8.0 metadata\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if left, _ := os.ReadDir(cmd.Env[len(cmd.Env)-1][len("TMPDIR="):]); len(left) != 0 {
		t.Errorf("temporary files remain: %v", left)
	}
}

func TestBundleForConfigMapIsLimited(t *testing.T) {
	dir := fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0")
	writeFile(t, filepath.Join(dir, "serverless", "backends", "code_engine", "entry_point.py"), "", 0o644)
	writeFile(t, filepath.Join(dir, "data"), randomText(1<<20), 0o644)
	if _, err := BuildBundle(t.Context(), Install{Dir: dir, Version: "3.8.0"}, CodeEngine); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}
