package e2e

import (
	"crypto/rand"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// ceDockerfile is equivalent to Lithops' own for Code Engine, on the base image that replaces
// python:3.11-slim-bookworm.
const ceDockerfile = `ARG BASE=%s
FROM ${BASE}
RUN test -e /usr/local/bin/python || ln -s "$(command -v python3)" /usr/local/bin/python
RUN pip install --no-cache-dir --break-system-packages flask pika boto3 requests PyYAML cloudpickle tblib psutil ps-mem numpy
WORKDIR /lithops
COPY lithops_codeengine.zip .
RUN python3 -m zipfile -e lithops_codeengine.zip . && rm lithops_codeengine.zip
`

// TestCodeEngineContainers builds an image with the client, and runs the client's jobs as containers of the image.
func TestCodeEngineContainers(t *testing.T) {
	t.Parallel() // spends most of its time waiting for builds
	engine := harness.RequireEngine(t)
	venv := harness.Venv(t, "3.11", ceClient("lithops")...)
	s := harness.NewStage(t)
	engine.Login(t, s)
	s.FnRuntime("local", "start", "--invoker", "docker")
	image := engine.Registry + "/lithops/" + strings.ToLower(rand.Text()[:8]) + "-code-engine:1"
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", image).Run() })
	e := s.Endpoint()
	write(t, filepath.Join(s.Home, ".lithops", "config"), ceConfig(e, image))
	write(t, filepath.Join(s.Dir, "Dockerfile"), fmt.Sprintf(ceDockerfile, engine.Base))
	lithops := filepath.Join(venv, "bin", "lithops")
	s.Run(10*time.Minute, lithops, "runtime", "build", image, "-f", "Dockerfile", "-b", "code_engine")
	s.Env = append(s.Env, e.Cloud()...)
	s.Run(2*time.Minute, lithops, "runtime", "deploy", image, "-b", "code_engine")
	var ran []struct {
		Container bool
		File      string
		Sum       int
	}
	decode(t, result(t, s.Run(5*time.Minute, filepath.Join(venv, "bin", "python"), script(t, "code_engine_container.py"))), &ran)
	if len(ran) != 3 {
		t.Errorf("%d results", len(ran))
	}
	for _, r := range ran {
		if !r.Container || r.Sum != 10 || !strings.HasPrefix(r.File, "/lithops/") {
			t.Errorf("ran in %+v, want a container with Lithops in /lithops", r)
		}
	}
}

// TestCodeEngineDeployContainers deploys images with and without the Lithops code inside. The client then runs its jobs
// as containers of these images.
func TestCodeEngineDeployContainers(t *testing.T) {
	t.Parallel() // spends most of its time waiting for builds
	engine := harness.RequireEngine(t)
	venv := harness.Venv(t, "3.11", ceClient("lithops")...)
	s := harness.NewStage(t)
	engine.Login(t, s)
	s.FnRuntime("local", "start", "--invoker", "docker")
	e := s.Endpoint()
	python, lithops := filepath.Join(venv, "bin", "python"), filepath.Join(venv, "bin", "lithops")
	with := fmt.Sprintf(ceDockerfile, engine.Base)
	without, _, _ := strings.Cut(with, "WORKDIR")
	image := func(name string) string {
		full := engine.Registry + "/lithops/code-engine-" + name + ":2"
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", full).Run() })
		write(t, filepath.Join(s.Home, ".lithops", "config"), ceConfig(e, full))
		return full
	}
	deployed := func(image, folder string, flags ...string) {
		t.Helper()
		s.FnRuntime(append([]string{"deploy", image, "-b", "code_engine", "--python", python}, flags...)...)
		mark := len(s.Requests())
		var ran []struct {
			Container bool
			File      string
			Sum       int
		}
		decode(t, result(t, s.Run(5*time.Minute, python, script(t, "code_engine_container.py"))), &ran)
		if len(ran) != 3 {
			t.Errorf("%d results of %s", len(ran), image)
		}
		for _, r := range ran {
			if !r.Container || r.Sum != 10 || !strings.HasPrefix(r.File, folder) {
				t.Errorf("%s ran in %+v, want a container with Lithops in %s", image, r, folder)
			}
		}
		for _, r := range s.Requests()[mark:] {
			if r.Service == "codeengine" && r.Method == "POST" && strings.HasSuffix(r.Path, "/jobs") {
				t.Errorf("the client had to deploy %s", image)
			}
		}
	}

	plain := image("plain")
	write(t, filepath.Join(s.Dir, "plain", "Dockerfile"), without)
	s.Run(10*time.Minute, "docker", "build", "-q", "-t", plain, filepath.Join(s.Dir, "plain"))
	s.Run(5*time.Minute, "docker", "push", "-q", plain)
	env := s.Env
	s.Env = append(s.Env, e.Cloud()...)
	deployed(plain, "/tmp/")

	s.Env = env
	inside := image("inside")
	write(t, filepath.Join(s.Dir, "Dockerfile"), with)
	s.Run(10*time.Minute, lithops, "runtime", "build", inside, "-f", "Dockerfile", "-b", "code_engine")
	s.Env = append(s.Env, e.Cloud()...)
	r := s.Try(2*time.Minute, s.Bin, "deploy", plain, "-m", "512", "--code", "image", "-b", "code_engine", "--python", python)
	if r.Code == 0 || !strings.Contains(r.Stderr, "exited with code") {
		t.Errorf("an image without the code was deployed as one with it: %s%s", r.Stdout, r.Stderr)
	}
	deployed(inside, "/lithops/", "--code", "image")
}
