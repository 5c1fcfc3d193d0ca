//go:build linux

package escape

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestNoProcessOutlivesItsWorker(t *testing.T) {
	e := start(t)
	path := e.file("worker")
	e.put("a", runaway+fmt.Sprintf("def main(a):\n runaway(%q)\n time.sleep(60)\n", path), 2*time.Second)
	e.Do("POST", e.API("/actions/a?blocking=true&result=true"), "{}") // the time limit ends the action
	e.waitUntilEnded(e.pid(path))
}

func TestNoProcessOutlivesStop(t *testing.T) {
	e := start(t)
	path := e.file("stop")
	e.put("a", runaway+fmt.Sprintf("def main(a):\n runaway(%q)\n return {}\n", path), time.Minute)
	e.run("a", &struct{}{})
	pid := e.pid(path)
	if !alive(pid) {
		t.Fatal("the program has ended by itself, so the test would prove nothing")
	}
	e.FnRuntime("local", "stop")
	e.waitUntilEnded(pid)
}

func TestNoProcessOutlivesAKilledEndpoint(t *testing.T) {
	e := start(t)
	path := e.file("kill")
	e.put("a", runaway+fmt.Sprintf("def main(a):\n runaway(%q)\n return {}\n", path), time.Minute)
	e.run("a", &struct{}{})
	pid := e.pid(path)
	if err := syscall.Kill(e.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	e.waitUntilEnded(pid)
}

// TestNoProcessOutlivesAGuardThatWasStopped runs an action that suspends its guard, the process that should end it.
func TestNoProcessOutlivesAGuardThatWasStopped(t *testing.T) {
	e := start(t)
	path := e.file("stopped")
	e.put("a", runaway+fmt.Sprintf("import signal\ndef main(a):\n runaway(%q)\n os.kill(os.getppid(), signal.SIGSTOP)\n return {}\n", path), time.Minute)
	e.run("a", &struct{}{})
	pid := e.pid(path)
	e.FnRuntime("local", "stop")
	e.waitUntilEnded(pid)
}

const grow = "import time; x = b'x' * (600 << 20); time.sleep(300)"

// TestNoMemoryBeyondTheLimit runs actions whose descendants allocate memory beyond the limit. The descendants must end.
func TestNoMemoryBeyondTheLimit(t *testing.T) {
	e := start(t)
	for name, code := range map[string]string{
		"a program without a parent": "def main(a):\n runaway(%q, GROW)\n time.sleep(8)\n return {}\n",
		"after the answer":           "def main(a):\n runaway(%q, 'import time; time.sleep(1); ' + GROW)\n return {}\n",
		"the child of a thread": "import threading, subprocess\ndef begin(path):\n p = subprocess.Popen([sys.executable, '-c', GROW])\n open(path, 'w').write(str(p.pid))\n p.wait()\n" +
			"def main(a):\n t = threading.Thread(target=begin, args=(%q,), daemon=True); t.start()\n t.join(8)\n return {}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := endpoint{e.Stage, e.EndpointClient, t}
			path := e.file(fmt.Sprint(len(name)))
			action := fmt.Sprint("a", len(name))
			e.put(action, runaway+fmt.Sprintf("GROW = %q\n", grow)+fmt.Sprintf(code, path), time.Minute)
			e.run(action, &struct{}{})
			e.waitUntilEnded(e.pid(path))
		})
	}
}

// TestNoProcessOutlivesAGuardThatWasKilled runs an action that kills its guard, the process that should end it. Then
// only a control group still identifies the action's processes.
func TestNoProcessOutlivesAGuardThatWasKilled(t *testing.T) {
	e := start(t)
	path := e.file("killed")
	e.put("a", runaway+fmt.Sprintf("import signal\ndef main(a):\n runaway(%q)\n time.sleep(1)\n os.kill(os.getppid(), signal.SIGKILL)\n time.sleep(60)\n", path), 10*time.Second)
	go e.Do("POST", e.API("/actions/a?blocking=true&result=true"), "{}")
	pid := e.pid(path)
	if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err != nil || !strings.Contains(string(group), "/fn-runtime-") {
		t.Logf("control groups are not this user's here: %s", group)
		return
	}
	e.waitUntilEnded(pid)
}
