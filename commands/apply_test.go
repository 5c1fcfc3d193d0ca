package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Syntax errors and values that no backend accepts are reported together, so that the user fixes the file only once.
func TestReadManifestReportsAllErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.yaml")
	text := "regions: mars\nruntimes:\n- image: me/A B\n  memery: 1\n- image: me/x\n- image: me/x\n- all\n- image: me/y\n  regions: [us-soth, \"${WHERE}\"]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &Factory{}
	f.Host.Getenv = func(string) string { return "" }
	_, err := readManifest(f, path, false)
	if err == nil {
		t.Fatal("got no error for an invalid file")
	}
	for _, want := range []string{":3:10: The image name", ":4:3: Unknown key", ":6:10: Image me/x is already declared", ":7:3: 'all' is not an image name", "'us-soth'", "'mars'", ":9:22: The environment variable WHERE"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("%q does not occur exactly once in: %v", want, err)
		}
	}
}

// Values beyond the limits of the target are reported together with the syntax errors.
func TestApplyReportsLimitsWithOtherErrors(t *testing.T) {
	h := newRegionsHarness(t)
	path := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(path, []byte("runtimes:\n- image: me/a:1\n  memery: 1\n- image: me/b:1\n  memory: [256, 5000]\n  timeout: 9999\n- image: me/c:1\n  timeout: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var doc resultDoc
	status := h.json(t, &doc, "apply "+path)
	for _, want := range []string{":3:3: Unknown key", ":4:10: A memory size of 5000 MB", ":4:10: A timeout of 9999 s", ":7:10: A timeout of 3 s"} {
		if status != exitFailed || strings.Count(doc.Error.Message, want) != 1 {
			t.Errorf("got status %d, %q; want %d with %q once", status, doc.Error.Message, exitFailed, want)
		}
	}
}
