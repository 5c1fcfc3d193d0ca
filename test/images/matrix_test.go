package images_test

import (
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/images"
	"fn-runtime/runtime/images/skeleton"
	"fn-runtime/test/harness"
)

// pythonBase builds a replacement for python:3.X-slim-bookworm: Debian's own Python for 3.11, or one of pyenv's on the
// base image. It returns "" if this machine does not have this Python.
func pythonBase(t *testing.T, python string) string {
	t.Helper()
	if python == "3.11" {
		return testEngine.base
	}
	home, _ := os.UserHomeDir()
	found, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions", python+".*", "bin", "python"+python))
	if len(found) == 0 {
		return ""
	}
	prefix := filepath.Dir(filepath.Dir(found[0]))
	name := "fn-runtime-base:" + python
	dockerfile := filepath.Join(contextDir(t, map[string]string{
		"Dockerfile": "FROM " + testEngine.base + "\nCOPY . /usr/local/\nRUN ldconfig; ln -sf python" + python + " /usr/local/bin/python\n" +
			// The official images have a pip that supports current wheels.
			"RUN python -m pip install --no-cache-dir -q -U 'pip>=21'\n",
		"Dockerfile.dockerignore": "**/test\n**/tests\n**/__pycache__\nshare\n",
	}), "Dockerfile")
	if _, out, err := build(t, builder(t, images.Options{}), entity.ImageBuild{Image: name, Context: prefix, Dockerfile: dockerfile}); err != nil {
		t.Fatalf("%s\n%s", detail(err), out)
	}
	return name
}

// TestEveryPython builds and checks the skeleton for each Python on this machine.
func TestEveryPython(t *testing.T) {
	harness.NoContainers(t)
	for _, python := range skeleton.Pythons() {
		base := pythonBase(t, python)
		if base == "" {
			t.Logf("no Python %s on this machine", python)
			continue
		}
		t.Run(python, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := skeleton.Write(dir, skeleton.Options{Python: python}); err != nil {
				t.Fatal(err)
			}
			built, out, err := build(t, builder(t, images.Options{}), entity.ImageBuild{Image: image(t), Context: dir,
				Args: map[string]string{"BASE": base}, Check: true, Python: python, Modules: skeleton.Modules("")})
			if err != nil {
				t.Fatalf("%s\n%s", detail(err), out)
			}
			t.Logf("Python %s, %d MB", built.Python, built.Size/1e6)
		})
	}
}
