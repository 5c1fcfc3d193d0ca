//go:build linux

// Package crash kills the local endpoint under load, and takes its home's disk away from the commands.
package crash

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

var write = flag.Bool("write", false, "write the counts to docs/reliability.md")

// endpoint speaks to the local endpoint of a stage.
type endpoint struct {
	harness.Endpoint
	client *http.Client
}

func open(t *testing.T, s *harness.Stage) *endpoint {
	t.Helper()
	e := &endpoint{Endpoint: s.Endpoint()}
	ca, err := os.ReadFile(e.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	e.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 32}}
	return e
}

// do sends one request with the token and gives status and body; status 0 when there was no answer.
func (e *endpoint) do(method, path, body string) (int, []byte) {
	req, err := http.NewRequest(method, e.Endpoint.Endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+e.Token)
	if strings.HasPrefix(path, "/api/") {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close() //nolint:errcheck
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, data
}

const code = `{"exec":{"kind":"python:3","code":"import time\ndef main(args):\n    time.sleep(args.get('s', 0))\n    return {'n': args.get('n')}"},"limits":{"memory":256,"timeout":60000}}`

// acknowledged is what the endpoint said it had done.
type acknowledged struct {
	mu                            sync.Mutex
	objects, actions, activations []string
}

func (a *acknowledged) add(list *[]string, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*list = append(*list, name)
}

// load keeps the endpoint busy until it does not answer any more.
func (e *endpoint) load(ns string, round int, a *acknowledged) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; i < 10_000; i++ {
				name := fmt.Sprintf("r%d-w%d-i%d", round, w, i)
				status, body := 0, []byte(nil)
				switch w % 3 {
				case 0:
					if status, _ = e.do("PUT", "/"+e.Bucket+"/"+name, strings.Repeat(name, 1+i%2000)); status == 200 {
						a.add(&a.objects, name)
					}
				case 1:
					if status, _ = e.do("PUT", ns+"/actions/"+name, code); status == 200 {
						a.add(&a.actions, name)
					}
				default:
					if status, body = e.do("POST", ns+"/actions/work", fmt.Sprintf(`{"n":%d,"s":0.2}`, i)); status == 202 {
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

func TestKilledUnderLoad(t *testing.T) {
	s := harness.NewStage(t)
	python, ok := harness.FindPython("3.11")
	if !ok {
		python = harness.Python(t, "3.12")
	}
	start := func() *endpoint {
		s.FnRuntime("local", "start", "--python", python)
		return open(t, s)
	}
	var a acknowledged
	e := start()
	const kills = 4
	for round := range kills {
		path := "/api/v1/namespaces/" + e.NamespaceID
		if status, body := e.do("PUT", path+"/actions/work?overwrite=true", code); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		pid := e.PID
		timer := time.AfterFunc(time.Duration(300+350*round)*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		e.load(path, round, &a)
		timer.Stop()
		e = start()
		if e.PID == pid {
			t.Fatal("it was not killed")
		}
	}
	path := "/api/v1/namespaces/" + e.NamespaceID
	for _, name := range a.objects {
		status, body := e.do("GET", "/"+e.Bucket+"/"+name, "")
		if status != 200 || len(body)%len(name) != 0 || !bytes.HasPrefix(body, []byte(name)) {
			t.Errorf("object %s: status %d, %d bytes", name, status, len(body))
		}
	}
	for _, name := range a.actions {
		if status, _ := e.do("GET", path+"/actions/"+name, ""); status != 200 {
			t.Errorf("action %s: status %d", name, status)
		}
	}
	lost := 0
	for _, id := range a.activations {
		status, body := e.do("GET", path+"/activations/"+id, "")
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
	var left []string
	for range 100 {
		if left = processes(s.Home); len(left) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if temp, _ := filepath.Glob(filepath.Join(s.LocalDir(), ".tmp-*")); len(temp) > 0 {
		t.Errorf("files are left: %v", temp)
	}
	t.Logf("%d kills; %d objects, %d actions, %d activations acknowledged, none missing; %d activations recorded as ended by the kill", kills, len(a.objects), len(a.actions), len(a.activations), lost)
	if *write && !t.Failed() {
		harness.Figure(t, "Crashes: local endpoint killed under load", fmt.Sprint(kills))
		harness.Figure(t, "Crashes: acknowledged objects, actions and activations, all there afterwards", fmt.Sprint(len(a.objects)+len(a.actions)+len(a.activations)))
	}
}

// processes lists what runs with a home in its command line or environment.
func processes(home string) (all []string) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if strings.Contains(string(line)+string(env), home) {
			all = append(all, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return all
}
