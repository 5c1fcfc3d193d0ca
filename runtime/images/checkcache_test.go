package images

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"fn-runtime/runtime/entity"
)

func TestCheckCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	c, spec := checkCache{dir}, entity.ImageBuild{Python: "3.11", Modules: []string{"a"}}
	if _, ok := c.get("sha256:1", spec); ok {
		t.Error("passed without a check")
	}
	c.put("sha256:1", spec, "3.11")
	if python, ok := c.get("sha256:1", spec); !ok || python != "3.11" {
		t.Errorf("%q %v", python, ok)
	}
	for name, other := range map[string]entity.ImageBuild{
		"other Python": {Python: "3.12", Modules: []string{"a"}}, "more modules": {Python: "3.11", Modules: []string{"a", "b"}},
	} {
		if _, ok := c.get("sha256:1", other); ok {
			t.Errorf("%s: passed", name)
		}
	}
	if _, ok := c.get("sha256:2", spec); ok {
		t.Error("another image passed")
	}
	if err := os.WriteFile(c.path("sha256:3", spec), []byte("\x1b[31m"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.get("sha256:3", spec); ok {
		t.Error("an invalid entry passed")
	}
	old := time.Now().Add(-2 * checkCacheAge)
	if err := os.Chtimes(c.path("sha256:1", spec), old, old); err != nil {
		t.Fatal(err)
	}
	c.put("sha256:4", spec, "3.11")
	if _, ok := c.get("sha256:1", spec); ok {
		t.Error("an old entry is still cached")
	}
	if _, ok := (checkCache{}).get("sha256:1", spec); ok {
		t.Error("an entry was found without a directory")
	}
}
