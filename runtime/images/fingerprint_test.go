package images

import (
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/entity"
)

func TestFingerprintCoversTheInputs(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "Dockerfile")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "Dockerfile"), "FROM x\n")
	write(filepath.Join(dir, "src", "a.py"), "a")
	write(filepath.Join(dir, ".dockerignore"), "*.log\n")
	write(outside, "FROM y\n")
	b := New(Options{})
	spec := entity.ImageBuild{Context: dir, Platform: "linux/amd64", Args: map[string]string{"A": "1"}}
	last, seen := "", map[string]bool{}
	expect := func(what string, differs bool) {
		t.Helper()
		got, err := b.Fingerprint(t.Context(), spec)
		if err != nil || len(got) != 64 || (got != last) != differs || differs && seen[got] {
			t.Errorf("%s: %s after %s, %v", what, got, last, err)
		}
		last, seen[got] = got, true
	}
	expect("first", true)
	expect("again", false)
	write(filepath.Join(dir, "noise.log"), "ignored")
	expect("an ignored file", false)
	write(filepath.Join(dir, "src", "a.py"), "a") // only the modification time changes
	expect("a rewritten file", false)
	write(filepath.Join(dir, "src", "a.py"), "b")
	expect("a content", true)
	if err := os.Chmod(filepath.Join(dir, "src", "a.py"), 0o755); err != nil {
		t.Fatal(err)
	}
	expect("a mode", true)
	if err := os.Rename(filepath.Join(dir, "src", "a.py"), filepath.Join(dir, "src", "c.py")); err != nil {
		t.Fatal(err)
	}
	expect("a name", true)
	if err := os.Symlink("src", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	expect("a link", true)
	spec.Args = map[string]string{"A": "2"}
	expect("an argument", true)
	spec.Platform = "linux/arm64"
	expect("the platform", true)
	spec.Dockerfile = outside
	expect("another Dockerfile", true)
	write(outside, "FROM z\n")
	expect("its content", true)
	if _, err := b.Fingerprint(t.Context(), entity.ImageBuild{Context: filepath.Join(dir, "none")}); err == nil {
		t.Error("a missing directory is not an error")
	}
}
