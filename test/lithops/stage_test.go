// Package lithops runs the Lithops project's own test suite, and programs from its documentation, on the local endpoint
// with the unmodified client.
package lithops

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// site is a home directory with the programs of its Python environment in bin.
type site struct {
	*harness.Stage
	bin string
}

func (s site) program(name string) string { return filepath.Join(s.bin, name) }

// newSite starts a local endpoint with the given options, and creates a home directory in which the newest Lithops is
// configured for this endpoint.
func newSite(t *testing.T, lithops string, options ...string) site {
	t.Helper()
	venv := harness.Venv(t, "3.11", lithops, "boto3")
	s, bin := harness.NewStage(t), filepath.Join(venv, "bin")
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv, "PATH="+bin+":"+os.Getenv("PATH"))
	s.FnRuntime(append([]string{"local", "start", "--memory", "8192", "-q"}, options...)...)
	s.Env = append(s.Env, s.Endpoint().Trust()...)
	s.FnRuntime("lithops-config", "-b", "local", "-o", filepath.Join(s.Home, ".lithops", "config"), "-q")
	return site{s, bin}
}

// stage creates a site with the default runtime deployed. extra is additional configuration.
func stage(t *testing.T, lithops, extra string) site {
	t.Helper()
	s := newSite(t, lithops)
	s.append(t, filepath.Join(s.Home, ".lithops", "config"), extra)
	s.FnRuntime("deploy", "default", "-b", "local", "-q")
	return s
}

// append adds text to a file.
func (site) append(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// redis starts a server on a free port and returns its section of the configuration.
func redis(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		harness.Missing(t, "redis-server is not installed")
	}
	port := runtimetest.FreePort(t)
	cmd := exec.Command(path, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	runtimetest.Eventually(t, "redis-server answers", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return fmt.Sprintf("redis:\n  host: 127.0.0.1\n  port: %d\n", port)
}

// lines joins the non-empty lines of an output.
func lines(out string) string {
	return strings.Join(strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' }), "\n")
}
