package actionproxy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"fn-runtime/runtime/runtimetest"
)

func TestTerminateIdle(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		p := start(t, python)
		p.initSource("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\ndef main(a):\n return {}")
		p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.wait(); err != nil {
			t.Error("exit status: ", err)
		}
	})
}

func TestTerminateBusy(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		p := start(t, python)
		// The action sends the signal itself to ensure that it is busy.
		p.initSource("import os, signal, time\ndef main(a):\n os.kill(os.getppid(), signal.SIGTERM)\n time.sleep(0.3)\n return {'done': 1}")
		if status, body := p.post("/run", run(none)); status != 200 || body != `{"done": 1}` {
			t.Errorf("run: %d %s", status, body)
		}
		if err := p.wait(); err != nil {
			t.Error("exit status: ", err)
		}
	})
}

func TestDeadlineEndsTheProxy(t *testing.T) {
	for _, python := range pythons(t) {
		p := start(t, python)
		p.initSource("import time\ndef main(a):\n time.sleep(600)\n return {}")
		body := strings.NewReader(`{"value": {}, "deadline": "1000"}`)
		if resp, err := http.Post(p.base+"/run", "application/json", body); err == nil {
			t.Error("a response after the deadline: ", resp.Status)
		}
		p.wait()
		if log := p.read(p.err); !strings.Contains(log, "exceeded its deadline") {
			t.Error(log)
		}
		return
	}
}

func TestLifeline(t *testing.T) {
	for _, python := range pythons(t) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		p := startWith(t, python, r, 3)
		p.initSource("import subprocess\nnormal = subprocess.Popen(['sleep', '601'])\naway = subprocess.Popen(['sleep', '602'], start_new_session=True)\n" +
			"def main(a):\n return {'pids': [normal.pid, away.pid]}")
		_, body := p.post("/run", run(none))
		w.Close() // as if the parent were killed
		p.wait()
		var result struct{ Pids []int }
		if err := json.Unmarshal([]byte(body), &result); err != nil || len(result.Pids) != 2 {
			t.Fatal(body)
		}
		for _, pid := range result.Pids {
			awaitExit(t, pid)
		}
		return
	}
}

// In a container, the lifeline is standard input.
func TestLifelineIsStandardInput(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		p := startWith(t, python, r, 0)
		p.initSource("def main(a):\n return {'ok': 1}")
		if status, body := p.post("/run", run(none)); status != 200 {
			t.Errorf("run: %d %s", status, body)
		}
		w.Close()
		p.wait()
	})
}

func TestGuardKilled(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		p := start(t, python)
		p.initSource("import os\ndef main(a):\n return {'pids': [os.getpid()]}")
		_, body := p.post("/run", run(none))
		var result struct{ Pids []int }
		if err := json.Unmarshal([]byte(body), &result); err != nil || len(result.Pids) != 1 {
			t.Fatal(body)
		}
		p.cmd.Process.Kill()
		p.wait()
		awaitExit(t, result.Pids[0])
	})
}

func awaitExit(t *testing.T, pid int) {
	t.Helper()
	t.Cleanup(func() {
		if p, err := os.FindProcess(pid); err == nil && alive(pid) {
			_ = p.Kill()
		}
	})
	runtimetest.Eventually(t, fmt.Sprintf("process %d has ended", pid), func() bool { return !alive(pid) })
}

// OpenWhisk's invoker retries an /init without a response for as long as the action may run. The proxy responds with
// the fate of the process, and ends on SIGTERM.
func TestDeathInInit(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		for code, want := range map[string]string{
			"import os\nos._exit(3)":                        `{"error": "The process of the action exited with status 3."}`,
			"import os\nos._exit(0)":                        `{"error": "The process of the action exited."}`,
			"import os\nos.kill(os.getpid(), 11)":           `{"error": "The process of the action was killed by signal 11."}`,
			"import os, time\nos.kill(os.getpid(), 9)\nx=1": `{"error": "The process of the action was killed by signal 9."}`,
		} {
			p := start(t, python)
			body, err := json.Marshal(initBody(code, false))
			if err != nil {
				t.Fatal(err)
			}
			var status int
			var response []byte
			runtimetest.Eventually(t, "a response", func() bool {
				resp, err := http.Post(p.base+"/init", "application/json", bytes.NewReader(body))
				if err != nil {
					return false
				}
				defer resp.Body.Close()
				status = resp.StatusCode
				response, _ = io.ReadAll(resp.Body)
				return true
			})
			if status != http.StatusBadGateway || string(response) != want {
				t.Errorf("%q: %d %s, not %s", code, status, response, want)
			}
			if log := p.read(p.err); !strings.HasSuffix(log, sentinel) {
				t.Errorf("%q: the log ends with %q", code, log)
			}
			p.cmd.Process.Signal(syscall.SIGTERM)
			if err := p.wait(); err != nil {
				t.Error("exit status: ", err)
			}
		}
	})
}
