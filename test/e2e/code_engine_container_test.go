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

// ceDockerfile is as Lithops' own for Code Engine, on the base that stands for python:3.11-slim-bookworm.
const ceDockerfile = `ARG BASE=%s
FROM ${BASE}
RUN test -e /usr/local/bin/python || ln -s "$(command -v python3)" /usr/local/bin/python
RUN pip install --no-cache-dir --break-system-packages flask pika boto3 requests PyYAML cloudpickle tblib psutil ps-mem numpy
WORKDIR /lithops
COPY lithops_codeengine.zip .
RUN python3 -m zipfile -e lithops_codeengine.zip . && rm lithops_codeengine.zip
`

// TestCodeEngineContainers builds an image with the client, and runs its jobs as containers of it.
func TestCodeEngineContainers(t *testing.T) {
	engine := harness.Engines(t)
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
