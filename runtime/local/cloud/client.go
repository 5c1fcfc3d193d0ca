package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/commands"
	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime/connect"
)

// Client is a user of a cloud, with a home directory, a Lithops configuration and a Lithops installation.
type Client struct {
	Cloud   *Cloud
	Home    string
	Lithops string        // directory of the lithops package
	Timeout time.Duration // HTTP timeout
	Trace   io.Writer     // HTTP trace; may be nil
	// Session is the session of a client that is logged in.
	Session *connect.Session
	// Env is added to the environment of the built binary.
	Env []string
	// Bin is the program that Command runs; empty means harness.Binary.
	Bin string
}

// NewClient returns a client with a new home directory that contains the configuration of ClientConfig.
func (c *Cloud) NewClient(t testing.TB, backend, lithops string) *Client {
	t.Helper()
	u := &Client{Cloud: c, Home: t.TempDir(), Lithops: lithops, Timeout: time.Minute}
	u.Write(t, ".lithops/config", c.ClientConfig(backend))
	for _, dir := range []string{"tmp", "work", "state"} {
		if err := os.MkdirAll(filepath.Join(u.Home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if backend == "code_engine" {
		u.Env = []string{"HTTPS_PROXY=" + c.tunnelURL}
	}
	if backend == "ibm_cf" {
		u.Session = &connect.Session{Region: "us-south", ResourceGroupID: "group", IAMEndpoint: c.URL(IAM),
			Token: func(context.Context, bool) (string, error) { return "", errors.New("the configuration has a key") }}
	}
	return u
}

// Write writes a file in the home directory. name is relative to it and uses slashes.
func (u *Client) Write(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join(u.Home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// environ returns the environment of the client's programs.
func (u *Client) environ() []string {
	return []string{"HOME=" + u.Home, "IBMCLOUD_HOME=" + u.Home, "TMPDIR=" + filepath.Join(u.Home, "tmp"), "USER=tester", "LC_ALL=C",
		"IBMCLOUD_COLOR=false", "REQUESTS_CA_BUNDLE=" + u.Cloud.CAFile, "DOCKER_HOST=unix://" + filepath.Join(u.Home, "no-engine.sock")}
}

// Result is the result of a command.
type Result struct {
	Line     string // command line
	Status   int    // exit status
	Out, Err string // stdout and stderr
	Took     time.Duration
}

func (a Result) String() string {
	return fmt.Sprintf("'%s' ended with %d after %s\nstdout: %s\nstderr: %s", a.Line, a.Status, a.Took.Round(time.Millisecond), a.Out, a.Err)
}

// Run runs a command line in this process, in the same way as the built binary, with the client's home directory. It
// replaces {registry} by the registry's address and {home} by the home directory, and adds the option '--lithops'.
func (u *Client) Run(ctx context.Context, line string) Result {
	env := map[string]string{}
	for _, pair := range u.environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	var out, stderr bytes.Buffer
	f := &commands.Factory{
		View:    &view.View{Streams: view.Streams{Out: &out, Err: &stderr, In: strings.NewReader("")}, Texts: i18n.New(i18n.English)},
		Version: "0.0.0", Service: connect.Open,
		Host: connect.Host{
			Session: u.Session, Getenv: func(name string) string { return env[name] }, Home: u.Home, WorkDir: filepath.Join(u.Home, "work"),
			StateDir: filepath.Join(u.Home, "state"), Version: "0.0.0", HTTPTimeout: u.Timeout, Trace: u.Trace,
		},
	}
	start := time.Now()
	status := commands.Run(ctx, f, u.args(line))
	return Result{Line: line, Status: status, Out: out.String(), Err: stderr.String(), Took: time.Since(start)}
}

// args returns the arguments of a command line and adds '--lithops'.
func (u *Client) args(line string) []string {
	line = strings.NewReplacer("{registry}", u.Cloud.Host(Registry), "{home}", u.Home).Replace(line)
	args := strings.Fields(line)
	return append(args, "--lithops", u.Lithops)
}

// Lithops creates a directory that looks like an installation of Lithops 3.7.0 for Python 3.11 and returns the path of
// the package. code is the content of its worker module, so that a test can create different installations.
func Lithops(t testing.TB, code string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lib", "python3.11", "site-packages", "lithops")
	for name, text := range map[string]string{
		"__init__.py": "", "worker/__init__.py": code, "version.py": "__version__ = \"3.7.0\"\n",
		"serverless/backends/ibm_cf/entry_point.py": "def main(args): pass\n", "serverless/backends/openwhisk/entry_point.py": "def main(args): pass\n",
		"serverless/backends/code_engine/entry_point.py": "pass\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
