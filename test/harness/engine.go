package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Engine describes the environment that bin/test-engine starts: a Docker Engine on its default socket, a registry with
// a password on loopback, and a base image that replaces python:3.11-slim-bookworm.
type Engine struct {
	Registry string // "127.0.0.1:5055"
	User     string
	Password string
	Base     string
}

// StartEngine starts the engine and the registry unless they run already. TestMain calls it, because it has no
// testing.TB; tests call RequireEngine.
func StartEngine() (Engine, error) {
	var e Engine
	root, err := rootDir()
	if err != nil {
		return e, err
	}
	cmd := exec.Command(filepath.Join(root, "bin", "test-engine"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return e, fmt.Errorf("the Docker Engine and the registry that these tests need could not be started: %w", err)
	}
	for _, m := range regexp.MustCompile(`(?m)^export FN_RUNTIME_TEST_(\w+)=(.*)$`).FindAllStringSubmatch(string(out), -1) {
		switch m[1] {
		case "REGISTRY":
			e.Registry = m[2]
		case "REGISTRY_USER":
			e.User = m[2]
		case "REGISTRY_PASSWORD":
			e.Password = m[2]
		case "BASE":
			e.Base = m[2]
		}
	}
	return e, nil
}

// RequireEngine calls StartEngine for a test. It calls Missing if the engine cannot be started.
func RequireEngine(t testing.TB) Engine {
	t.Helper()
	e, err := StartEngine()
	if err != nil {
		Missing(t, "%v", err)
	}
	return e
}

// Login runs 'docker login' on a stage, as a user would.
func (e Engine) Login(t testing.TB, s *Stage) {
	t.Helper()
	cmd := s.command(t.Context(), "docker", "login", "--username", e.User, "--password-stdin", e.Registry)
	cmd.Stdin = strings.NewReader(e.Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker login: %v\n%s", err, out)
	}
}

// NoContainers fails the test at its end if the engine has a new container from a build step or an image check.
// Containers of endpoints belong to tests that run in parallel and are ignored. Other containers have three minutes to
// exit.
func NoContainers(t testing.TB) {
	t.Helper()
	before := containers(t)
	t.Cleanup(func() {
		var left []string
		for until := time.Now().Add(3 * time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
			left = nil
			for id, what := range containers(t) {
				if _, ok := before[id]; !ok {
					left = append(left, what)
				}
			}
			if len(left) == 0 {
				return
			}
		}
		t.Errorf("containers are left: %q", left)
	})
}

// containers returns the image and command of each container, running or not, by container ID. It omits containers that
// an endpoint labeled as its own.
func containers(t testing.TB) map[string]string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--all", "--no-trunc", "--format", `{{.ID}} {{.Image}} {{.Command}} {{.Label "fn-runtime.endpoint"}}`).Output()
	if err != nil {
		t.Fatalf("docker ps: %v", err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if id, what, _ := strings.Cut(line, " "); strings.HasSuffix(what, " \n") {
			all[id] = strings.TrimSpace(what)
		}
	}
	return all
}
