package skeleton

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/actionproxy"
	"fn-runtime/runtime/fault"
)

func TestWrite(t *testing.T) {
	for _, python := range Pythons() {
		for _, conda := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "new", "dir")
			written, err := Write(dir, Options{Python: python, Conda: conda})
			if err != nil {
				t.Fatal(err)
			}
			if len(written) != 4 || filepath.Base(written[3]) != "Dockerfile" {
				t.Errorf("wrote %v", written)
			}
			dockerfile := read(t, filepath.Join(dir, "Dockerfile"))
			want := "ARG BASE=" + baseImage(python) + "\n"
			if conda {
				want = "python=" + python + " pip"
			}
			if !strings.Contains(dockerfile, want) || strings.Contains(dockerfile, "{{") || strings.Contains(dockerfile, "no value") {
				t.Errorf("Python %s, conda %v: no %q in\n%s", python, conda, want, dockerfile)
			}
			if proxy := read(t, filepath.Join(dir, actionproxy.Name)); proxy != string(actionproxy.Source()) {
				t.Error("the action proxy differs")
			}
			requirements := read(t, filepath.Join(dir, "requirements.txt"))
			for _, word := range []string{"Your own packages", "cloudpickle\n", "ibm-cos-sdk"} {
				if !strings.Contains(requirements, word) {
					t.Errorf("no %q in\n%s", word, requirements)
				}
			}
			for _, word := range []string{"flask", "gevent", "scikit", "{{"} {
				if strings.Contains(strings.ToLower(requirements), word) {
					t.Errorf("%q in\n%s", word, requirements)
				}
			}
		}
	}
}

func TestExistingFilesAreKept(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "requirements.txt")
	dangling := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	written, err := Write(dir, Options{Python: "3.11"})
	if !fault.Is(err, fault.Conflict) || len(written) != 0 {
		t.Fatalf("wrote %v: %v", written, err)
	}
	for _, path := range []string{mine, dangling} {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s is not in the error: %v", path, err)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 || read(t, mine) != "mine" {
		t.Errorf("the directory was changed: %v", entries)
	}
	if _, err := Write(dir, Options{Python: "3.11", Force: true}); err != nil {
		t.Fatal(err)
	}
	if read(t, mine) == "mine" {
		t.Error("not overwritten with Force")
	}
}

func TestUnknownPython(t *testing.T) {
	for _, python := range []string{"", "3", "3.5", "3.15", "2.7", "3.11.1", "3.11\nRUN evil", "../x"} {
		dir := t.TempDir()
		if _, err := Write(dir, Options{Python: python}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", python, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("%q: wrote %v", python, entries)
		}
	}
}

func TestDirectoryIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(path, Options{Python: "3.11"}); !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
}

func TestSkeletonsOfJobsHaveNoProxy(t *testing.T) {
	for _, o := range []Options{{}, {Code: true}, {Conda: true}, {Conda: true, Code: true}} {
		dir := t.TempDir()
		o.Python, o.Jobs = "3.11", true
		written, err := Write(dir, o)
		if err != nil || len(written) != 3 {
			t.Fatalf("wrote %v: %v", written, err)
		}
		dockerfile := read(t, filepath.Join(dir, "Dockerfile"))
		if got := strings.Contains(dockerfile, "COPY lithops_codeengine.zip"); got != o.Code {
			t.Errorf("%+v: copies the code: %v", o, got)
		}
		for _, word := range []string{"actionproxy", "ENTRYPOINT", "{{", "no value"} {
			if strings.Contains(dockerfile, word) {
				t.Errorf("%q in\n%s", word, dockerfile)
			}
		}
		for _, word := range []string{"/usr/local/bin/python", "-b code_engine", ", flask"} {
			if !strings.Contains(dockerfile, word) {
				t.Errorf("no %q in\n%s", word, dockerfile)
			}
		}
		if requirements := read(t, filepath.Join(dir, "requirements.txt")); !strings.Contains(requirements, "\nflask\n") {
			t.Errorf("no flask in\n%s", requirements)
		}
	}
}
