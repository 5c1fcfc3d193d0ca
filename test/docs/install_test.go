package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// `make install` of the README installs the built binary into the CLI, and reports a missing CLI.
func TestInstall(t *testing.T) {
	root, bin := harness.Root(t), t.TempDir()
	run := func() (string, error) {
		cmd := exec.Command("bash", filepath.Join(root, "bin", "install"), harness.Binary(t))
		cmd.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if _, err := exec.LookPath("ibmcloud"); err != nil {
		if out, err := run(); err == nil || !strings.HasPrefix(out, "FAILED\n") || !strings.Contains(out, "https://cloud.ibm.com/docs/cli") {
			t.Errorf("without the CLI: %v\n%s", err, out)
		}
	}
	put(t, filepath.Join(bin, "ibmcloud"), "#!/bin/sh\necho \"$@\"\n")
	if out, err := run(); err != nil || out != "plugin install "+harness.Binary(t)+" -f\n" {
		t.Errorf("%v\n%s", err, out)
	}
	text := read(t, "Makefile")
	if !strings.Contains(text, "\ninstall: build ") || !strings.Contains(text, "bin/install bin/fn-runtime") {
		t.Error("make install does not build and call bin/install")
	}
}
