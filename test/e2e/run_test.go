package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// TestRun runs a job with one command on a machine without a configuration or a running endpoint. The test sets
// conflicting variables on purpose.
func TestRun(t *testing.T) {
	python := filepath.Join(harness.Venv(t, "3.11", "lithops", "boto3"), "bin", "python")
	s := harness.NewStage(t)
	own := filepath.Join(s.Dir, ".lithops_config")
	write(t, own, "lithops:\n  backend: localhost\n  storage: localhost\n")
	s.Env = append(s.Env, "REQUESTS_CA_BUNDLE=/etc/hostname", "HTTPS_PROXY=http://127.0.0.1:9", `LITHOPS_CONFIG={"lithops": {"backend": "localhost"}}`)
	job := []string{"--", python, script(t, "run.py"), "two words", "", "--output", "json", "$HOME"}

	missing := s.Try(time.Minute, s.Bin, append([]string{"run", "-b", "local"}, job...)...)
	if missing.Code != 1 || missing.Stdout != "" || !strings.Contains(missing.Stderr, "deploy default -b local --python "+python+"'") {
		t.Errorf("without a runtime: exit %d\n%s%s", missing.Code, missing.Stdout, missing.Stderr)
	}
	lacking := s.Try(time.Minute, s.Bin, append([]string{"run", "-b", "local", "--as", "code_engine", "--deploy"}, job...)...)
	if lacking.Code != 1 || !strings.Contains(lacking.Stderr, `-m pip install "lithops[ibm]" flask'`) {
		t.Errorf("without the modules for Code Engine: exit %d\n%s", lacking.Code, lacking.Stderr)
	}
	r := s.Try(2*time.Minute, s.Bin, append([]string{"run", "-b", "local", "--deploy"}, job...)...)
	var out struct {
		Result []int
		Args   []string
		Config string
	}
	decode(t, result(t, r), &out)
	if len(out.Result) != 5 || out.Result[4] != 11 || r.Code != 3 {
		t.Errorf("results %v, exit status %d, want those of the job: 7 to 11, and 3\n%s", out.Result, r.Code, r.Stderr)
	}
	if got := strings.Join(out.Args, "|"); got != "two words||--output|json|$HOME" {
		t.Errorf("the job was given %s", got)
	}
	if _, err := os.Stat(out.Config); out.Config == own || !os.IsNotExist(err) {
		t.Errorf("the configuration %s is still there: %v", out.Config, err)
	}

	// If the command is interrupted, the job is interrupted too, and no files remain.
	started := filepath.Join(s.Dir, "started")
	cmd := s.Command(s.Bin, "run", "-b", "local", "--", python, "-c",
		"import os, pathlib, time; pathlib.Path('started').write_text(os.environ['LITHOPS_CONFIG_FILE']); time.sleep(600)")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var config []byte
	runtimetest.Eventually(t, "the job runs", func() bool {
		config, _ = os.ReadFile(started)
		return len(config) > 0
	})
	if _, err := os.Stat(string(config)); err != nil {
		t.Errorf("while the job runs: %v", err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 128+15 {
		t.Errorf("exit status %d, want %d", got, 128+15)
	}
	if _, err := os.Stat(string(config)); !os.IsNotExist(err) {
		t.Errorf("after SIGTERM the configuration is still there: %v", err)
	}

	// If the command is killed, the job continues with its configuration, and the next run removes the configuration
	// after the job has ended.
	_ = os.Remove(started)
	cmd = s.Command(s.Bin, "run", "-b", "local", "--python", python, "--", "sh", "-c", `echo "$$ $LITHOPS_CONFIG_FILE" > new; mv new started; exec sleep 600`)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	runtimetest.Eventually(t, "the job runs", func() bool {
		config, _ = os.ReadFile(started)
		return len(config) > 0
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	number, path, _ := strings.Cut(strings.TrimSpace(string(config)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("the job wrote %q", config)
	}
	s.FnRuntime("run", "-b", "local", "--python", python, "--", "true")
	if _, err := os.Stat(path); err != nil {
		t.Errorf("while the job runs: %v", err)
	}
	if job, err := os.FindProcess(pid); err == nil {
		_ = job.Kill()
	}
	runtimetest.Eventually(t, "the configuration is removed", func() bool {
		s.FnRuntime("run", "-b", "local", "--python", python, "--", "true")
		_, err := os.Stat(path)
		return os.IsNotExist(err)
	})
}

// TestRunAsCodeEngine lets the Code Engine client use the local endpoint instead of IBM's service.
func TestRunAsCodeEngine(t *testing.T) {
	python := filepath.Join(harness.Venv(t, "3.11", ceClient("lithops")...), "bin", "python")
	s := harness.NewStage(t)
	target := []string{"-b", "local", "--as", "code_engine", "--python", python}
	missing := s.Try(time.Minute, s.Bin, append(append([]string{"run"}, target...), "--", python, script(t, "run.py"))...)
	if missing.Code != 1 || !strings.Contains(missing.Stderr, "deploy default -b local --as code_engine") {
		t.Errorf("status %d, want 1 and the command that deploys what is missing:\n%s", missing.Code, missing.Stderr)
	}
	r := s.Try(2*time.Minute, s.Bin, append(append([]string{"run", "--deploy"}, target...), "--", python, script(t, "run.py"))...)
	var out struct{ Result []int }
	decode(t, result(t, r), &out)
	if len(out.Result) != 5 || out.Result[4] != 11 || r.Code != 3 {
		t.Errorf("results %v, exit status %d\n%s", out.Result, r.Code, r.Stderr)
	}
	if list := s.FnRuntime(append([]string{"list"}, target...)...).Stdout; !strings.Contains(list, "Ready") {
		t.Errorf("list says %q, want one that is Ready", list)
	}
}
