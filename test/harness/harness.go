// Package harness provides what the black-box tests share: the built binary, Python environments from PyPI, and
// isolated home directories. It does not contain expectations; those belong to the tests.
package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Root returns the root directory of the project.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := rootDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func rootDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = up
	}
}

// CacheDir returns the directory for files that are slow to create and are kept between runs: FN_RUNTIME_TEST_CACHE, or
// .cache in the project if the variable is not set.
func CacheDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("FN_RUNTIME_TEST_CACHE")
	if dir == "" {
		dir = filepath.Join(Root(t), ".cache")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

var build struct {
	sync.Once
	path string
	err  error
}

// Binary builds bin/fn-runtime once per test process, as make does, and returns its path. If GOCOVERDIR is set, the
// binary records coverage.
func Binary(t testing.TB) string {
	t.Helper()
	root := Root(t)
	build.Do(func() {
		build.path = filepath.Join(root, "bin", "fn-runtime")
		args := []string{"build", "-trimpath", "-ldflags", "-s -w"}
		if os.Getenv("GOCOVERDIR") != "" {
			build.path += "-cover"
			args = append(args, "-cover", "-coverpkg=./...")
		}
		cmd := exec.Command("go", append(args, "-o", build.path, ".")...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			build.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.path
}

// required reports whether a missing tool is a failure. This is the case in CI (CI=true), where no test may be skipped.
func required() bool { return os.Getenv("CI") == "true" }

// Missing ends the test because the machine lacks a prerequisite. The test fails in CI, and is skipped elsewhere.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if required() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Result holds the output, exit status and duration of a program.
type Result struct {
	Stdout, Stderr string
	Code           int
	Took           time.Duration
}

// Stage is an isolated home directory in which programs run as one user would run them.
type Stage struct {
	t    testing.TB
	Home string   // HOME; IBMCLOUD_HOME is the same, so that no file of the real user is read
	Dir  string   // working directory
	Env  []string // added to the clean environment, KEY=VALUE
	Bin  string
}

// NewStage creates a stage. At the end of the test it stops the local endpoint that commands may have started in the
// stage.
func NewStage(t testing.TB) *Stage {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, "work")
	for _, d := range []string{dir, filepath.Join(home, "tmp")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &Stage{t: t, Home: home, Dir: dir, Bin: Binary(t)}
	t.Cleanup(func() {
		cmd := s.command(context.Background(), s.Bin, "local", "stop", "-q")
		_ = cmd.Run()
		s.removeHome()
	})
	return s
}

// removeHome deletes the home directory. It retries for 20 seconds, because the client starts a program that cleans up
// after jobs, and this program may still write to the directory after the end of the test.
func (s *Stage) removeHome() {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if os.RemoveAll(s.Home) == nil {
			return
		}
	}
}

// passed lists the variables of the real environment that programs on a stage inherit: paths and package sources, but
// no sessions or keys.
var passed = []string{"PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL",
	"PIP_FIND_LINKS", "PIP_CONFIG_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"GOCOVERDIR", "DOCKER_HOST", "PYENV_ROOT"}

func (s *Stage) environ() []string {
	env := []string{"HOME=" + s.Home, "IBMCLOUD_HOME=" + s.Home, "TMPDIR=" + filepath.Join(s.Home, "tmp"), "USER=tester", "IBMCLOUD_COLOR=false"}
	for _, key := range passed {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	return append(env, s.Env...)
}

// Command returns a program on the stage that the test itself starts and stops.
func (s *Stage) Command(name string, args ...string) *exec.Cmd {
	return s.command(context.Background(), name, args...)
}

func (s *Stage) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.Dir
	cmd.Env = s.environ()
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// Try runs a program with a time limit and returns its result.
func (s *Stage) Try(limit time.Duration, name string, args ...string) Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := s.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	r := Result{Stdout: out.String(), Stderr: errs.String(), Took: time.Since(start)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		s.t.Fatalf("%s %s: not done after %s\n%s%s", name, strings.Join(args, " "), limit, r.Stdout, r.Stderr)
	case errors.As(err, &exit):
		r.Code = exit.ExitCode()
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		s.t.Fatalf("%s: %v", name, err)
	}
	return r
}

// Run runs a program and fails the test unless it succeeds.
func (s *Stage) Run(limit time.Duration, name string, args ...string) Result {
	s.t.Helper()
	r := s.Try(limit, name, args...)
	if r.Code != 0 {
		s.t.Fatalf("%s %s: exit %d\n%s%s", filepath.Base(name), strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// FnRuntime runs the built plug-in as a standalone binary. It must succeed within two minutes.
func (s *Stage) FnRuntime(args ...string) Result {
	s.t.Helper()
	return s.Run(2*time.Minute, s.Bin, args...)
}
