package images

import (
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/entity"
)

func TestFingerprintFollowsWhatIsBuilt(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "Dockerfile")
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(dir, "Dockerfile"), "FROM x\n")
	put(filepath.Join(dir, "src", "a.py"), "a")
	put(filepath.Join(dir, ".dockerignore"), "*.log\n")
	put(outside, "FROM y\n")
	b := New(Options{})
	spec := entity.ImageBuild{Context: dir, Platform: "linux/amd64", Args: map[string]string{"A": "1"}}
	last, seen := "", map[string]bool{}
	take := func(what string, differs bool) {
		t.Helper()
		got, err := b.Fingerprint(t.Context(), spec)
		if err != nil || len(got) != 64 || (got != last) != differs || differs && seen[got] {
			t.Errorf("%s: %s after %s, %v", what, got, last, err)
		}
		last, seen[got] = got, true
	}
	take("first", true)
	take("again", false)
	put(filepath.Join(dir, "noise.log"), "ignored")
	take("an ignored file", false)
	put(filepath.Join(dir, "src", "a.py"), "a") // only its time differs
	take("a file that is written anew", false)
	put(filepath.Join(dir, "src", "a.py"), "b")
	take("a content", true)
	if err := os.Chmod(filepath.Join(dir, "src", "a.py"), 0o755); err != nil {
		t.Fatal(err)
	}
	take("a mode", true)
	if err := os.Rename(filepath.Join(dir, "src", "a.py"), filepath.Join(dir, "src", "c.py")); err != nil {
		t.Fatal(err)
	}
	take("a name", true)
	if err := os.Symlink("src", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	take("a link", true)
	spec.Args = map[string]string{"A": "2"}
	take("an argument", true)
	spec.Platform = "linux/arm64"
	take("the platform", true)
	spec.Dockerfile = outside
	take("another Dockerfile", true)
	put(outside, "FROM z\n")
	take("its content", true)
	if _, err := b.Fingerprint(t.Context(), entity.ImageBuild{Context: filepath.Join(dir, "none")}); err == nil {
		t.Error("no folder is no fault")
	}
}
