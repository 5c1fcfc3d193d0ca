package lithops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// fakePackage writes the files of a Lithops package that Find and BuildBundle read.
func fakePackage(t *testing.T, dir, version string) string {
	t.Helper()
	for name, text := range map[string]string{
		"version.py": "__version__ = '" + version + "'\n", "__init__.py": "", "worker/__init__.py": "", "worker/__pycache__/x.pyc": "x",
		"serverless/backends/ibm_cf/entry_point.py": "def main(args): pass\n", "serverless/backends/openwhisk/entry_point.py": "ow\n",
	} {
		writeFile(t, filepath.Join(dir, name), text, 0o644)
	}
	return dir
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// fakeVenv creates an environment whose Python fails when it is started.
func fakeVenv(t *testing.T, pyversion, version string) string {
	t.Helper()
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "pyvenv.cfg"), "home = /x\nversion = "+pyversion+".4\n", 0o644)
	writeFile(t, filepath.Join(root, "bin", "python"), "#!/bin/sh\necho started >&2; exit 3\n", 0o755)
	if version != "" {
		fakePackage(t, filepath.Join(root, "lib", "python"+pyversion, "site-packages", "lithops"), version)
	}
	return root
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func needUnix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the layout of environments differs on Windows")
	}
}

func TestFindReadsEnvironmentWithoutStartingPython(t *testing.T) {
	needUnix(t)
	root := fakeVenv(t, "3.11", "3.7.0")
	in, err := Find(context.Background(), FindOptions{Getenv: env("VIRTUAL_ENV", root), Home: t.TempDir(), WorkDir: t.TempDir()})
	want := Install{Dir: filepath.Join(root, "lib/python3.11/site-packages/lithops"), Version: "3.7.0", Python: "3.11", Interpreter: filepath.Join(root, "bin/python")}
	if err != nil || in != want {
		t.Errorf("%+v, %v", in, err)
	}
	in, err = Find(context.Background(), FindOptions{Python: root, Getenv: env()})
	if err != nil || in != want {
		t.Errorf("named environment: %+v, %v", in, err)
	}
	in, err = Find(context.Background(), FindOptions{Dir: want.Dir, Getenv: env()})
	if err != nil || in.Version != "3.7.0" || in.Python != "3.11" || in.Interpreter != "" {
		t.Errorf("named directory: %+v, %v", in, err)
	}
	if _, err = Find(context.Background(), FindOptions{Getenv: env("VIRTUAL_ENV", root, "PYTHONPATH", "/x")}); err == nil || !strings.Contains(err.Error(), "does not work") {
		t.Errorf("got %v with PYTHONPATH, want Python to be started", err)
	}
}

func TestFindErrors(t *testing.T) {
	needUnix(t)
	empty := t.TempDir()
	fakePython := func(lithops string) string {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "python3"), fmt.Sprintf("#!/bin/sh\necho noise\nprintf '\\n{\"python\": \"3.12\", \"executable\": \"%s\", \"lithops\": %s}'\n", filepath.Join(dir, "python3"), lithops), 0o755)
		return dir
	}
	old := fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "2.1.1")
	odd := fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "$(rm)")
	incomplete := t.TempDir()
	writeFile(t, filepath.Join(incomplete, "lithops", "version.py"), "__version__ = '3.7.0'\n", 0o644)
	for name, tc := range map[string]struct {
		o        FindOptions
		kind     fault.Kind
		reason   string
		recovery string
	}{
		"no python":          {FindOptions{Getenv: env("PATH", empty)}, fault.NotFound, "Python was not found", "'--python'"},
		"no lithops":         {FindOptions{Getenv: env("PATH", fakePython("null"))}, fault.NotFound, "not installed", "-m pip install lithops'"},
		"broken python":      {FindOptions{Getenv: env("VIRTUAL_ENV", fakeVenv(t, "3.11", ""))}, fault.Invalid, "does not work", "'--python'"},
		"unknown version":    {FindOptions{Python: "3.99", Getenv: env("PATH", empty)}, fault.Usage, "python3.99 was not found in PATH", "'--python'"},
		"absent interpreter": {FindOptions{Python: "./absent", WorkDir: empty, Getenv: env()}, fault.Usage, filepath.Join(empty, "absent"), "'--python'"},
		"absent directory":   {FindOptions{Dir: "absent", WorkDir: empty, Getenv: env()}, fault.Usage, filepath.Join(empty, "absent"), "'--lithops'"},
		"too old":            {FindOptions{Dir: old, Getenv: env()}, fault.Invalid, "too old", "--upgrade"},
		"odd version":        {FindOptions{Dir: odd, Getenv: env()}, fault.Invalid, "broken", "--force-reinstall"},
		"incomplete":         {FindOptions{Getenv: env("PATH", fakePython(`"`+filepath.Join(incomplete, "lithops", "__init__.py")+`"`))}, fault.Invalid, "broken", "--force-reinstall"},
	} {
		_, err := Find(context.Background(), tc.o)
		var f *fault.Fault
		if !errors.As(err, &f) || f.Kind != tc.kind || !strings.Contains(f.Error(), tc.reason) || !strings.Contains(f.Recovery.String(), tc.recovery) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindSkipsPythonWithoutLithops(t *testing.T) {
	needUnix(t)
	pkg := fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0")
	without, with := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(without, "python3"), "#!/bin/sh\nprintf '\\n{\"python\": \"3.9\", \"executable\": \"\", \"lithops\": null}'\n", 0o755)
	writeFile(t, filepath.Join(with, "python"), "#!/bin/sh\nprintf '\\n{\"python\": \"3.12\", \"executable\": \"\", \"lithops\": \""+filepath.Join(pkg, "__init__.py")+"\"}'\n", 0o755)
	in, err := Find(context.Background(), FindOptions{Getenv: env("PATH", without+string(filepath.ListSeparator)+with)})
	if err != nil || in.Dir != pkg || in.Python != "3.12" || in.Version != "3.8.0" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestFindSkipsBrokenPython(t *testing.T) {
	needUnix(t)
	good, bad := fakeVenv(t, "3.11", "3.7.0"), fakeVenv(t, "3.9", "")
	in, err := Find(context.Background(), FindOptions{Getenv: env("VIRTUAL_ENV", bad, "CONDA_PREFIX", good)})
	if err != nil || in.Version != "3.7.0" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestFindStopsWhenContextIsCanceled(t *testing.T) {
	needUnix(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "python3"), "#!/bin/sh\nexec sleep 60\n", 0o755)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Find(ctx, FindOptions{Getenv: env("PATH", dir)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// Find uses the Lithops that a real Python would import, and ignores a package in the working directory.
func TestFindWithRealPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not in PATH: ", err)
	}
	site := t.TempDir()
	pkg := fakePackage(t, filepath.Join(site, "lithops"), "3.8.0")
	t.Setenv("PYTHONPATH", site)
	in, err := Find(context.Background(), FindOptions{Python: python, Getenv: os.Getenv, Home: t.TempDir(), WorkDir: t.TempDir()})
	if err != nil || in.Dir != pkg || in.Version != "3.8.0" || !strings.HasPrefix(in.Python, "3.") || in.Interpreter == "" {
		t.Errorf("%+v, %v", in, err)
	}
	work := t.TempDir()
	fakePackage(t, filepath.Join(work, "lithops"), "9.9.9")
	if in, err = Find(context.Background(), FindOptions{Python: python, Getenv: os.Getenv, WorkDir: work}); err != nil || in.Version != "3.8.0" {
		t.Errorf("got %+v, %v, want the package in the working directory to be ignored", in, err)
	}
}
