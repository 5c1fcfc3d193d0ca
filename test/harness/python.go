package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// Python returns an interpreter of the given major.minor version: pythonX.Y on the path, or else one installed by
// pyenv. If there is none, it calls Missing.
func Python(t testing.TB, version string) string {
	t.Helper()
	if path, ok := FindPython(version); ok {
		return path
	}
	Missing(t, "Python %s is not installed: neither python%s on the path nor in ~/.pyenv/versions", version, version)
	return ""
}

// FindPython is like Python, but does not call Missing. It reports whether it found an interpreter.
func FindPython(version string) (string, bool) {
	if path, err := exec.LookPath("python" + version); err == nil && hasVersion(path, version) {
		return path, true
	}
	if path, err := exec.LookPath("python3"); err == nil && hasVersion(path, version) {
		return path, true
	}
	root := os.Getenv("PYENV_ROOT")
	if root == "" {
		home, _ := os.UserHomeDir()
		root = filepath.Join(home, ".pyenv")
	}
	found, _ := filepath.Glob(filepath.Join(root, "versions", version+".*", "bin", "python"))
	sort.Strings(found)
	for _, path := range found {
		if hasVersion(path, version) {
			return path, true
		}
	}
	return "", false
}

func hasVersion(path, version string) bool {
	out, err := exec.Command(path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	return err == nil && strings.TrimSpace(string(out)) == version
}

// Venv creates a virtual environment with packages from PyPI, or reuses the one from an earlier run, and returns its
// directory.
func Venv(t testing.TB, version string, packages ...string) string {
	t.Helper()
	python := Python(t, version)
	sum := sha256.Sum256([]byte(strings.Join(packages, "\n")))
	dir := filepath.Join(CacheDir(t), "venv-"+version+"-"+hex.EncodeToString(sum[:6]))
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	ready := filepath.Join(dir, ".ready")
	if _, err := os.Stat(ready); err == nil {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	run(t, python, "-m", "venv", dir)
	pip := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, packages...)
	run(t, filepath.Join(dir, "bin", "python"), pip...)
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
