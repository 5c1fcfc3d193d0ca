package actionproxy_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTerminateIdle(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		p := start(t, python)
		p.initSource("import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\ndef main(a):\n return {}")
		p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.gone(10 * time.Second); err != nil {
			t.Error("exit status: ", err)
		}
	})
}

func TestTerminateBusy(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		p := start(t, python)
		// The action sends the signal itself, so that it is busy for certain.
		p.initSource("import os, signal, time\ndef main(a):\n os.kill(os.getppid(), signal.SIGTERM)\n time.sleep(0.3)\n return {'done': 1}")
		if status, body := p.post("/run", run(none)); status != 200 || body != `{"done": 1}` {
			t.Errorf("run: %d %s", status, body)
		}
		if err := p.gone(10 * time.Second); err != nil {
			t.Error("exit status: ", err)
		}
	})
}

func TestDeadlineEndsTheProxy(t *testing.T) {
	for _, python := range pythons(t) {
		p := start(t, python)
		p.initSource("import time\ndef main(a):\n time.sleep(60)\n return {}")
		body := strings.NewReader(`{"value": {}, "deadline": "1000"}`)
		begin := time.Now()
		if resp, err := http.Post(p.base+"/run", "application/json", body); err == nil {
			t.Error("an answer after the deadline: ", resp.Status)
		}
		p.gone(10 * time.Second)
		if d := time.Since(begin); d > 15*time.Second {
			t.Error("the deadline was not kept: ", d)
		}
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
		p := startWith(t, python, r)
		p.initSource("import subprocess\nnormal = subprocess.Popen(['sleep', '61'])\naway = subprocess.Popen(['sleep', '62'], start_new_session=True)\n" +
			"def main(a):\n return {'pids': [normal.pid, away.pid]}")
		_, body := p.post("/run", run(none))
		w.Close() // as when the parent is killed
		p.gone(10 * time.Second)
		var result struct{ Pids []int }
		if err := json.Unmarshal([]byte(body), &result); err != nil || len(result.Pids) != 2 {
			t.Fatal(body)
		}
		for _, pid := range result.Pids {
			awaitGone(t, pid)
		}
		return
	}
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
		p.gone(10 * time.Second)
		awaitGone(t, result.Pids[0])
	})
}

func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("process %d still runs", pid)
			syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}
