//go:build linux

package crash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// diskMB is the size of the endpoint's disk in MB. It is larger than the space that the endpoint leaves free.
const diskMB = 320

// The disk with the endpoint's state fills up while it runs. The endpoint rejects requests that it cannot store and
// gives a reason. It keeps what it has acknowledged, even if it is killed. As soon as there is space, it records the
// activations that ended in the meantime and works normally again.
func TestFullEndpointDisk(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	if err := os.MkdirAll(s.LocalDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", s.LocalDir(), "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", diskMB)); err != nil {
		harness.Missing(t, "a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(s.LocalDir(), syscall.MNT_DETACH) })
	deploy := []string{"deploy", "me/img:1", "-b", "local", "--output", "json"}
	s.FnRuntime("local", "start", "--python", python)
	e := s.NewClient(t)
	kept := map[string]string{}
	put := func(name, text string) (int, []byte) {
		status, body := e.Do("PUT", "/"+e.Bucket+"/"+name, text)
		if status == http.StatusOK {
			kept[name] = text
		}
		return status, body
	}
	for name, size := range map[string]int{"small": 10, "large": 300_000} {
		if status, body := put(name, strings.Repeat("x", size)); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, body := e.Do("PUT", e.API("/actions/work"), code); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := e.Do("POST", e.API("/actions/work?blocking=true"), `{"n":1}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	running := invokeAsync(t, e, `{"n":7,"s":3}`)

	giveBack := fill(t, s.LocalDir())
	refused := 0
	for i, text := range []string{"a", strings.Repeat("b", 100_000), strings.Repeat("c", 60_000), strings.Repeat("d", 5_000_000)} {
		if status, body := put(fmt.Sprint("full-", i), text); status != http.StatusOK {
			refused++
			if !strings.Contains(string(body), "disk") {
				t.Errorf("PUT of %d bytes: status %d without a reason: %s", len(text), status, body)
			}
		}
	}
	if refused == 0 {
		t.Error("everything was accepted: the disk is not full")
	}
	readable := func() {
		t.Helper()
		for name, text := range kept {
			if status, body := e.Do("GET", "/"+e.Bucket+"/"+name, ""); status != http.StatusOK || string(body) != text {
				t.Errorf("GET %s: status %d, %d bytes of %d", name, status, len(body), len(text))
			}
		}
	}
	readable()
	r := s.Try(2*time.Minute, s.Bin, deploy...)
	var doc struct {
		Error *struct{ Message, Recovery string }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code == 1 && (doc.Error == nil || doc.Error.Recovery == "") || r.Code > 1 {
		t.Errorf("deploy: %v, status %d\n%s%s", err, r.Code, r.Stdout, r.Stderr)
	}
	time.Sleep(3 * time.Second) // the activation ends while the disk is full
	giveBack()
	waitForRecord(t, e, running, true)

	giveBack = fill(t, s.LocalDir())
	pid := e.PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := s.Try(time.Minute, s.Bin, "local", "start", "--python", python); r.Code == 1 && !strings.Contains(r.Stderr, "no space left") || r.Code > 1 {
		t.Errorf("start on a full disk: status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	giveBack()
	s.FnRuntime("local", "start", "--python", python)
	e = s.NewClient(t)
	if e.PID == pid {
		t.Fatal("it was not killed")
	}
	readable()
	waitForRecord(t, e, running, true)
	s.FnRuntime(deploy...)
	if status, body := put("after", strings.Repeat("z", 200_000)); status != http.StatusOK {
		t.Errorf("with room again: status %d, %s", status, body)
	}
	s.FnRuntime("local", "stop")
	harness.NoProcesses(t, s.Home)
	if left, _ := filepath.Glob(filepath.Join(s.LocalDir(), ".tmp-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	large := 0
	for _, text := range kept {
		if len(text) > 64<<10 {
			large++
		}
	}
	if files, _ := os.ReadDir(filepath.Join(s.LocalDir(), "objects")); len(files) != large {
		t.Errorf("%d files for %d large objects", len(files), large)
	}
}

// invokeAsync starts an activation without waiting for its result.
func invokeAsync(t *testing.T, e *harness.EndpointClient, args string) (id string) {
	t.Helper()
	status, body := e.Do("POST", e.API("/actions/work"), args)
	var doc struct{ ActivationID string }
	if err := json.Unmarshal(body, &doc); err != nil || status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	return doc.ActivationID
}

// waitForRecord waits for the record of an activation.
func waitForRecord(t *testing.T, e *harness.EndpointClient, id string, success bool) {
	t.Helper()
	var status int
	var body []byte
	runtimetest.Eventually(t, "the record of activation "+id, func() bool {
		status, body = e.Do("GET", e.API("/activations/"+id), "")
		return status == http.StatusOK
	})
	if strings.Contains(string(body), `"success":true`) != success {
		t.Errorf("activation %s: status %d, %.300s", id, status, body)
	}
}
