package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func noEnvironment(string) string { return "" }

func TestParse(t *testing.T) {
	dir := filepath.FromSlash("some/where")
	in := func(p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }
	f, err := Parse(filepath.Join(dir, "runtimes.yaml"), []byte(`
# yaml-language-server: $schema=apply.json
regions: [us-south, eu-de]
runtimes:
  - default
  - image: docker.io/me/plain:1
    memory: 512
    regions: us-east
    pin: true
  - image: me/built:1
    memory: [256, 512]
    timeout: 300
    pin: false
    build: ./image
  - image: me/full:1
    build:
      context: .
      dockerfile: docker/Dockerfile.conda
      args: {PYTHON: 3.11, DEBUG: true, EMPTY: ""}
      platform: linux/amd64
`), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"us-south", "eu-de"}
	want := []Runtime{
		{Image: "default", Regions: both},
		{Image: "docker.io/me/plain:1", MemoryMB: []int{512}, Regions: []string{"us-east"}, Pin: true},
		{Image: "me/built:1", MemoryMB: []int{256, 512}, TimeoutS: 300, Regions: both, Build: &Build{Context: in("image")}},
		{Image: "me/full:1", Regions: both, Pin: true, Build: &Build{
			Context: in("."), Dockerfile: in("docker/Dockerfile.conda"), Platform: "linux/amd64",
			Args: map[string]string{"PYTHON": "3.11", "DEBUG": "true", "EMPTY": ""},
		}},
	}
	if diff := cmp.Diff(want, f.Runtimes, cmpopts.IgnoreFields(Runtime{}, "At")); diff != "" {
		t.Error(diff)
	}
	if at := f.Runtimes[2].At; at.Line != 10 || at.Column != 12 {
		t.Errorf("the third is at %+v", at)
	}
}

func TestParseReportsErrorsWithPositions(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                   {"f:1:1: The file declares nothing"},
		"# only a comment\n":                 {"f:1:1: The file declares nothing"},
		"runtime:\n  - default\n":            {"f:1:1: Unknown key 'runtime'. Did you mean 'runtimes'?", "'runtimes' is missing"},
		"runtimes:\n- image: a\n  memery: 1": {"f:3:3: Unknown key 'memery'. Did you mean 'memory'?"},
		"runtimes:\n- image: a\n  zzz: 1":    {"f:3:3: Unknown key 'zzz'. Supported keys: image, memory, cpu, timeout"},
		"runtimes:\n- memory: 1\n":           {"f:2:3: The key 'image' is missing."},
		"runtimes:\n- image: a\n  memory: [256, x]\n  timeout: -1\n": {"f:3:17: An integer of 1 or more", "f:4:12: An integer of 1 or more"},
		"runtimes:\n- image: a\n  memory: 1.5\n":                     {"f:3:11: An integer of 1 or more"},
		"runtimes:\n- image: a\n  memory: []\n":                      {"f:3:3: The list is empty."},
		"runtimes:\n- image: a\n  pin: 1\n":                          {"f:3:8: Either true or false"},
		"runtimes:\n- image: 3.10\n":                                 {"f:2:10: A string is expected here"},
		"runtimes:\n- image:\n":                                      {"A string is expected here"},
		"runtimes:\n- [a]\n":                                         {"f:2:3: A mapping of keys to values"},
		"runtimes: x\n":                                              {"f:1:11: A list is expected"},
		"- a\n":                                                      {"f:1:1: A mapping of keys to values"},
		"runtimes:\n- a\n- image: a\n":                               {"f:3:10: Image a is already declared on line 2."},
		"runtimes:\n- {image: a, memory: [256, 512]}\n- {image: a, memory: 1024}\n- {image: a, memory: 512}\n": {"f:4:11: Image a is already declared on line 2."},
		"runtimes:\n- {image: a, memory: 256}\n- {image: a, memory: 512, build: .}\n":                          {"f:3:11: Image a is already declared on line 2."},
		"runtimes:\n- image: default\n  build: .\n":                                                            {"f:3:3: 'default' is not an image that can be built."},
		"runtimes:\n- image: a\n  build: {contxt: .}\n":                                                        {"f:3:11: Unknown key 'contxt'. Did you mean 'context'?"},
		"runtimes:\n- image: a\n  image: b\n":                                                                  {"f:3:3:"},
		"runtimes: [\n":                                                                                        {"This is not a valid 'apply' file"},
		"runtimes:\n\t- a\n":                                                                                   {"f:2:"},
		"runtimes:\n- a\n---\nruntimes:\n- b\n":                                                                {"f:4:1: This is not a valid 'apply' file: it contains more than one document."},
		"runtimes:\n- &x image\n- *x\n":                                                                        {"f:3:3: Image image is already declared on line 2."},
		"runtimes:\n- &x {image: a, build: {args: *x}}\n":                                                      {"A string is expected here"},
		"runtimes:\n- &x {image: a, <<: *x}\n":                                                                 {"f:2:3: This mapping merges too many values."},
		"runtimes:\n- <<: 1\n":                                                                                 {"f:2:7: A mapping of keys to values"},
		"runtimes:\n- image: ${NONE}\n  memory: ${NONE:-x}\n":                                                  {"f:2:10: The environment variable NONE is not set. Use ${NONE:-VALUE} to specify", "f:3:11: An integer of 1 or more"},
		"runtimes:\n- image: a${1}\n":                                                                          {"f:2:10: '${1}' is not a valid variable. Write a variable as ${NAME}, and a literal ${ as $${"},
		"runtimes:\n- image: a${x\n":                                                                           {"f:2:10: '${x' is not a valid variable"},
		"runtimes:\n- !!str a\n":                                                                               {"f:2:3: A mapping of keys to values"},
		"runtimes: " + strings.Repeat("[", 500):                                                                {"f:1:1: This is not a valid 'apply' file"},
		strings.Repeat("#", 100_000):                                                                           {"f:1:1: The file is larger than 65536 bytes."},
	} {
		_, err := Parse("f", []byte(text), noEnvironment)
		if err == nil {
			t.Errorf("%.60q is accepted", text)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%.60q: %v, want %s", text, err, w)
			}
		}
	}
	if f, err := Parse("f", []byte("runtimes:\n"), noEnvironment); err != nil || len(f.Runtimes) > 0 {
		t.Errorf("an empty list: %v %+v", err, f)
	}
}

// One file can serve every stage of a project: the environment contains the differences, and merged keys avoid
// repetition.
func TestEnvironmentAndMergedKeys(t *testing.T) {
	getenv := func(name string) string {
		return map[string]string{"TAG": "1.2", "MEMORY": "1024", "EMPTY": "", "PIN": "true"}[name]
	}
	f, err := Parse("f", []byte("\ufeff"+strings.ReplaceAll(`
runtimes:
  - &base
    image: me/a:${TAG}
    memory: ${MEMORY}
    timeout: ${SECONDS:-60}
    pin: ${PIN}
    build: {context: ., args: &args {A: "${EMPTY:-}", B: "$${TAG}", C: $TAG}}
  - <<: *base
    image: me/b:${TAG}${EMPTY:--slim}
  - <<: [{memory: 1, image: me/c}, *base]
    build: {args: {<<: *args, A: 3.10}}
`, "\n", "\r\n")), getenv)
	if err != nil {
		t.Fatal(err)
	}
	args := map[string]string{"A": "", "B": "${TAG}", "C": "$TAG"}
	want := []Runtime{
		{Image: "me/a:1.2", MemoryMB: []int{1024}, TimeoutS: 60, Pin: true, Build: &Build{Context: ".", Args: args}},
		{Image: "me/b:1.2-slim", MemoryMB: []int{1024}, TimeoutS: 60, Pin: true, Build: &Build{Context: ".", Args: args}},
		{Image: "me/c", MemoryMB: []int{1}, TimeoutS: 60, Pin: true, Build: &Build{Context: ".", Args: map[string]string{"A": "3.10", "B": "${TAG}", "C": "$TAG"}}},
	}
	if diff := cmp.Diff(want, f.Runtimes, cmpopts.IgnoreFields(Runtime{}, "At")); diff != "" {
		t.Error(diff)
	}
}

// Values with unset variables are unknown, so they are not reported as duplicates.
func TestUnsetVariablesAreNotDuplicates(t *testing.T) {
	_, err := Parse("f", []byte("runtimes:\n- image: ${ONE}\n- image: ${TWO}\n- image: me/a:${ONE}\n- image: me/a:${TWO}\n"), noEnvironment)
	if err == nil || strings.Count(err.Error(), "is not set") != 4 || strings.Contains(err.Error(), "declared") {
		t.Errorf("got %v, want four variables that are not set and nothing else", err)
	}
}

func TestReadNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "none.yaml"), dir} {
		if _, err := Read(path, noEnvironment); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	}
	path := filepath.Join(dir, "r.yaml")
	if err := os.WriteFile(path, []byte("runtimes:\n- image: me/x\n  build: sub\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Read(path, noEnvironment); err != nil || f.Runtimes[0].Build.Context != filepath.Join(dir, "sub") {
		t.Errorf("%v %+v", err, f)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("runtimes:\n- image: a\n  memory: [1, 2]\n  build: {context: ., args: {A: 1}}\n"))
	f.Add([]byte("runtimes:\n- &a {image: '${A:-x}', memory: 1}\n- {<<: *a, image: b}\n"))
	f.Add([]byte("regions: all\nruntimes:\n- default\n"))
	for _, hostile := range []string{
		"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nruntimes: *c\n", "runtimes: &r\n- *r\n", "<<: *x\nruntimes: []\n", // bombs, loops
		strings.Repeat("[", 200), strings.Repeat("- ", 200), strings.Repeat("{a: ", 50), strings.Repeat("? ", 100), // nesting
		"runtimes: {}\n", "runtimes:\n- [default]\n", "runtimes:\n- image: 1\n  memory: x\n  pin: 3\n  build: []\n", // wrong types
		"runtimes:\n- image: !!binary aGk=\n", "runtimes:\n- image: a\n  memory: 0x1p999\n", "---\n---\n", "runtimes: |\n a\n", "\xff\xfe", "%YAML 9.9\n--- !x\n",
	} {
		f.Add([]byte(hostile))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("f", data, noEnvironment)
		if err == nil {
			for _, rt := range file.Runtimes {
				if rt.Image == "" || rt.At.Line < 1 {
					t.Errorf("%q: %+v", data, rt)
				}
			}
		}
	})
}
