//go:build linux

// Package crash tests the local endpoint and commands under adverse conditions: killed processes, full or read-only
// disks, and wrong clocks.
package crash

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

var write = flag.Bool("write", false, "write the counts to docs/reliability.md")

const code = `{"exec":{"kind":"python:3","code":"import time\ndef main(args):\n    time.sleep(args.get('s', 0))\n    return {'n': args.get('n')}"},"limits":{"memory":256,"timeout":60000}}`

// acknowledged holds the operations that the endpoint has acknowledged.
type acknowledged struct {
	mu                            sync.Mutex
	objects, actions, activations []string
}

func (a *acknowledged) add(list *[]string, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*list = append(*list, name)
}

// load sends requests until the endpoint does not respond any more.
func load(e *harness.EndpointClient, round int, a *acknowledged) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10_000 {
				name := fmt.Sprintf("r%d-w%d-i%d", round, w, i)
				status, body := 0, []byte(nil)
				switch w % 3 {
				case 0:
					if status, _ = e.Do("PUT", "/"+e.Bucket+"/"+name, strings.Repeat(name, 1+i%2000)); status == 200 {
						a.add(&a.objects, name)
					}
				case 1:
					if status, _ = e.Do("PUT", e.API("/actions/"+name), code); status == 200 {
						a.add(&a.actions, name)
					}
				default:
					if status, body = e.Do("POST", e.API("/actions/work"), fmt.Sprintf(`{"n":%d,"s":0.2}`, i)); status == 202 {
						var doc struct{ ActivationID string }
						if json.Unmarshal(body, &doc) == nil {
							a.add(&a.activations, doc.ActivationID)
						}
					}
				}
				if status == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestKilledUnderLoad kills the endpoint at arbitrary moments during writes and activations. It detects writes that are
// acknowledged before their transaction is passed to the kernel, because objects or actions are then missing. It cannot
// detect a missing fsync: the kernel keeps the pages of a killed process, so only a power failure would lose them.
func TestKilledUnderLoad(t *testing.T) {
	s := harness.NewStage(t)
	python, ok := harness.FindPython("3.11")
	if !ok {
		python = harness.Python(t, "3.12")
	}
	start := func() *harness.EndpointClient {
		s.FnRuntime("local", "start", "--python", python)
		return s.NewClient(t)
	}
	var a acknowledged
	e := start()
	const kills = 4
	for round := range kills {
		if status, body := e.Do("PUT", e.API("/actions/work?overwrite=true"), code); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		pid := e.PID
		timer := time.AfterFunc(time.Duration(300+350*round)*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		load(e, round, &a)
		timer.Stop()
		e = start()
		if e.PID == pid {
			t.Fatal("it was not killed")
		}
	}
	for _, name := range a.objects {
		status, body := e.Do("GET", "/"+e.Bucket+"/"+name, "")
		if status != 200 || len(body)%len(name) != 0 || !bytes.HasPrefix(body, []byte(name)) {
			t.Errorf("object %s: status %d, %d bytes", name, status, len(body))
		}
	}
	for _, name := range a.actions {
		if status, _ := e.Do("GET", e.API("/actions/"+name), ""); status != 200 {
			t.Errorf("action %s: status %d", name, status)
		}
	}
	lost := 0
	for _, id := range a.activations {
		status, body := e.Do("GET", e.API("/activations/"+id), "")
		if status != 200 {
			t.Errorf("activation %s: status %d", id, status)
		}
		if bytes.Contains(body, []byte(`"success":false`)) {
			lost++
		}
	}
	if len(a.objects) == 0 || len(a.actions) == 0 || len(a.activations) == 0 {
		t.Errorf("no load: %d objects, %d actions, %d activations", len(a.objects), len(a.actions), len(a.activations))
	}
	s.FnRuntime("local", "stop")
	harness.NoProcesses(t, s.Home)
	if temp, _ := filepath.Glob(filepath.Join(s.LocalDir(), ".tmp-*")); len(temp) > 0 {
		t.Errorf("files are left: %v", temp)
	}
	t.Logf("%d kills; %d objects, %d actions, %d activations acknowledged, none missing; %d activations recorded as ended by the kill", kills, len(a.objects), len(a.actions), len(a.activations), lost)
	if *write && !t.Failed() {
		harness.Figure(t, "Crashes: local endpoint killed under load", fmt.Sprint(kills))
		harness.Figure(t, "Crashes: acknowledged objects, actions and activations, none lost", fmt.Sprint(len(a.objects)+len(a.actions)+len(a.activations)))
	}
}
