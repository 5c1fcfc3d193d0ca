package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Engine is what bin/test-engine made: a Docker Engine at its usual place, a registry with a password on loopback, and
// a base image that stands for python:3.11-slim-bookworm.
type Engine struct {
	Registry string // "127.0.0.1:5055"
	User     string
	Password string
	Base     string
}

// StartEngine starts what does not run yet. It is for TestMain, which has no testing.TB; tests call Engines.
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

// Engines is StartEngine for a test, which ends by Missing where there is no engine.
func Engines(t testing.TB) Engine {
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
