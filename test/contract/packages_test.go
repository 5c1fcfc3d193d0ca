package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// cacheDir returns the directory in which packages are kept between runs: $FN_RUNTIME_TEST_CACHE, or .cache in the
// project's root directory. Its content must not be committed.
func cacheDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FN_RUNTIME_TEST_CACHE")
	if dir == "" {
		out, err := exec.Command("go", "env", "GOMOD").Output()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), ".cache")
	}
	dir = filepath.Join(dir, "contract")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// python returns an interpreter of the first version that is installed. It fails the test if there is none.
func python(t *testing.T, versions ...string) string {
	t.Helper()
	home, _ := os.UserHomeDir()
	for _, v := range versions {
		found, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", v+".*", "bin", "python"))
		if p, err := exec.LookPath("python" + v); err == nil {
			found = append(found, p)
		}
		for _, p := range found {
			out, err := exec.Command(p, "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])").Output()
			if err == nil && strings.TrimSpace(string(out)) == v {
				return p
			}
		}
	}
	t.Fatalf("none of the Pythons %s (with pip) is on the path or in ~/.pyenv", strings.Join(versions, ", "))
	return ""
}

func run(t *testing.T, limit time.Duration, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}

// install installs a package without its dependencies into a directory of the cache, once, and returns the directory.
func install(t *testing.T, python, requirement string) string {
	t.Helper()
	tag := strings.TrimSpace(run(t, time.Minute, python, "-c", "import sys; print('py%d%d' % sys.version_info[:2])"))
	final := filepath.Join(cacheDir(t), strings.ReplaceAll(requirement, "==", "-")+"-"+tag)
	if _, err := os.Stat(final); err == nil {
		return final
	} else if !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp(cacheDir(t), "part-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	run(t, 5*time.Minute, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
		"--target", temp, requirement)
	if err := os.Rename(temp, final); err != nil && !errors.Is(err, os.ErrExist) {
		if _, statErr := os.Stat(final); statErr != nil { // a concurrent run may have installed the package
			t.Fatal(err)
		}
	}
	return final
}

var listedVersion = regexp.MustCompile(`Available versions: ([0-9.]+)`)

// newestRelease returns the newest version in the package index.
func newestRelease(t *testing.T, python string) string {
	t.Helper()
	out := run(t, 2*time.Minute, python, "-m", "pip", "index", "versions", "--disable-pip-version-check", "lithops")
	m := listedVersion.FindStringSubmatch(out)
	if m == nil {
		t.Fatal(fmt.Errorf("no versions in %q", out))
	}
	return m[1]
}
