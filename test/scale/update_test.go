package scale

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/schema"
)

// changedLithops returns a copy of the installed Lithops with a change by the user.
func (b *testbed) changedLithops() string {
	b.t.Helper()
	dir := filepath.Join(b.Home, "changed")
	python := filepath.Join(strings.TrimPrefix(b.Env[0], "VIRTUAL_ENV="), "bin", "python")
	installed := strings.TrimSpace(b.Run(time.Minute, python, "-c", "import lithops, os; print(os.path.dirname(lithops.__file__))").Stdout)
	if out, err := exec.Command("cp", "-r", installed, dir).CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.OpenFile(filepath.Join(dir, "utils.py"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString("\n# changed\n")
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return dir
}

// timeouts returns the time limit of each action and that of its metadata, in seconds.
func (b *testbed) timeouts() map[string][2]int {
	b.t.Helper()
	all := map[string][2]int{}
	for name := range b.actions() {
		a, err := b.functions.Action(b.t.Context(), b.contract.Package(), name)
		if err != nil {
			b.t.Fatal(err)
		}
		data, err := b.store.Get(b.t.Context(), b.contract.MetadataKey(name))
		var md struct {
			Timeout int `json:"runtime_timeout"`
		}
		if err != nil || json.Unmarshal(data, &md) != nil {
			b.t.Fatalf("%s: %v, %s", name, err, data)
		}
		all[name] = [2]int{a.TimeoutMS / 1000, md.Timeout}
	}
	return all
}

func TestUpdateRefreshesEveryRuntime(t *testing.T) {
	b := newTestbed(t)
	b.FnRuntime("deploy", registry+"me/a:1", "-m", "256,512", "-t", "77", "-q")
	dir := b.changedLithops()
	run := func(puts, calls int, args ...string) {
		t.Helper()
		b.reset()
		out := b.Run(3*time.Minute, b.Bin, append([]string{"update", "all", "--lithops", dir, "--output", "json"}, args...)...).Stdout
		(&schema.Check{}).Valid(t, "update", out)
		if p, c := requests(b.api, "PUT", "/actions/"), requests(b.api, "POST", "/actions/"); p != puts || c != calls {
			t.Errorf("update all %v: %d actions written, %d called; want %d and %d\n%s", args, p, c, puts, calls, out)
		}
	}
	run(0, 0, "--dry-run")
	run(3, 3)
	for name, s := range b.timeouts() {
		want := 77
		if strings.Contains(name, "seed") {
			want = 300
		}
		if s != [2]int{want, want} {
			t.Errorf("%s has %v, want %d", name, s, want)
		}
	}
	run(0, 0)
	run(3, 3, "--force")
	run(3, 0, "-t", "99") // only the limits: the metadata of the runtime is still valid
	for name, s := range b.timeouts() {
		if s != [2]int{99, 99} {
			t.Errorf("%s has %v", name, s)
		}
	}
	for _, e := range b.list() {
		if e.State != "outdated" { // for the installed Lithops
			t.Errorf("got %+v, want outdated", e)
		}
	}
}

func TestEveryFormOfNameIsDeleted(t *testing.T) {
	b := newTestbed(t)
	// None by digest: OpenWhisk drops the digest, so only an annotation of 'deploy --pin' has it.
	names := []string{"me/my_image_x:0.1", "me/plain", registry + "ns/sub/img_1:2", registry + "me/untagged", "docker.io/me/full:1"}
	versions := []string{"2.6.0", "3.6.0"}
	// As Lithops itself deploys them: there is no annotation with the image, which cannot be derived from the name.
	put := func(version, image string) {
		t.Helper()
		c := b.contract
		c.Version = version
		a := b.seed
		a.Package, a.Image, a.Annotations = c.Package(), image, map[string]any{}
		if !strings.Contains(strings.SplitN(image, "/", 2)[0], ".") && strings.Count(image, "/") == 1 && version > "2.9" {
			a.Image = "docker.io/" + image
		}
		a.Name = c.Action(a.Image, 256)
		if _, err := b.functions.CreatePackage(t.Context(), a.Package); err != nil {
			t.Fatal(err)
		}
		if _, err := b.functions.PutAction(t.Context(), a, "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="); err != nil {
			t.Fatal(err)
		}
		if err := b.store.Put(t.Context(), c.MetadataKey(a.Name), b.metadata); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range names {
		put(b.contract.Version, n)
		for _, v := range versions {
			put(v, n)
		}
	}
	count := func(want int, after string) {
		t.Helper()
		if all := b.list(); len(all) != want {
			t.Errorf("%d runtimes after %s, want %d: %+v", len(all), after, want, all)
		}
	}
	count(1+3*len(names), "the preparation")
	left := 1 + 3*len(names)
	for _, n := range names {
		b.FnRuntime("delete", n, "-v", "3.6.0", "-f", "-q")
		left--
		count(left, fmt.Sprintf("delete %s -v 3.6.0", n))
		b.FnRuntime("delete", n, "-f", "-q")
		left -= 2
		count(left, "delete "+n)
	}
	b.orphans()
	if keys := b.keys("lithops.runtimes/"); len(keys) != 1 {
		t.Errorf("metadata is left: %v", keys)
	}
}
