//go:build linux

// Package escape tests programs that try to escape from the local endpoint: processes that leave their worker, memory
// beyond its limit, and actions that read secrets or descriptors of the user's shell.
package escape

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// endpoint is a client of a running local endpoint with processes. It has the owner's credentials.
type endpoint struct {
	*harness.Stage
	*harness.EndpointClient
	t *testing.T
}

func start(t *testing.T, environment ...string) endpoint {
	t.Helper()
	s := harness.NewStage(t)
	s.Env = append(s.Env, environment...)
	s.FnRuntime("local", "start", "--python", harness.Python(t, "3.11"), "--invoker", "process")
	return endpoint{s, s.NewClient(t), t}
}

// put creates an action with a memory limit of 256 MB.
func (e endpoint) put(name, code string, timeout time.Duration) {
	e.t.Helper()
	body, err := json.Marshal(map[string]any{
		"exec":   map[string]any{"kind": "python:3", "code": code},
		"limits": map[string]any{"memory": 256, "timeout": timeout.Milliseconds()},
	})
	if err != nil {
		e.t.Fatal(err)
	}
	if status, answer := e.Do("PUT", e.API("/actions/"+name+"?overwrite=true"), string(body)); status != 200 {
		e.t.Fatalf("PUT %s: %d %s", name, status, answer)
	}
}

// run invokes an action, waits for it, and decodes its result.
func (e endpoint) run(name string, into any) {
	e.t.Helper()
	status, answer := e.Do("POST", e.API("/actions/"+name+"?blocking=true&result=true"), "{}")
	if status != 200 {
		e.t.Fatalf("%s: %d %s", name, status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		e.t.Fatalf("%s: %v: %s", name, err, answer)
	}
}

// runaway starts a program that is hard to find: its parent has ended, and it has a new session, a new environment and
// no inherited descriptors. The program writes its PID to a file.
const runaway = `
import os, sys, time

def runaway(path, program='import time; time.sleep(300)'):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 1024)
            with open(path + '~', 'w') as f:
                f.write(str(os.getpid()))
            os.rename(path + '~', path)
            os.execve(sys.executable, [sys.executable, '-c', program], {})
        os._exit(0)
    os.wait()
`

// pid waits for the PID that runaway writes.
func (e endpoint) pid(path string) (pid int) {
	e.t.Helper()
	var raw []byte
	runtimetest.Eventually(e.t, "the program that gets away has started", func() (started bool) {
		var err error
		raw, err = os.ReadFile(path)
		return err == nil
	})
	if _, err := fmt.Sscan(string(raw), &pid); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

// waitUntilEnded waits until a process has ended.
func (e endpoint) waitUntilEnded(pid int) {
	e.t.Helper()
	runtimetest.Eventually(e.t, fmt.Sprintf("process %d has ended", pid), func() bool { return !alive(pid) })
}

// alive reports whether a process runs. A zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func (e endpoint) file(name string) string { return filepath.Join(e.Dir, name) }
