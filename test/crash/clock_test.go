//go:build linux

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
)

const day = 24 * time.Hour

// A wrong clock makes tokens appear expired or always valid, certificates invalid and signatures outdated. The commands
// then report the clock or a certificate's validity period, and work again after the clock is corrected.
func TestClockOfACommandIsWrong(t *testing.T) {
	for _, backend := range []string{"openwhisk", "ibm_cf"} {
		for _, by := range []time.Duration{-400 * day, -20 * time.Minute, 6 * time.Hour, 400 * day} {
			t.Run(fmt.Sprint(backend, " ", by), func(t *testing.T) {
				u := cloud.Open(t, t.TempDir(), nil).NewClient(t, backend, cloud.Lithops(t, ""))
				u.Bin = harness.ClockBinary(t)
				if backend == "ibm_cf" {
					u.Login(t)
				}
				if a := run(t, u, "deploy me/img:1"); a.Status != 0 {
					t.Fatal(a)
				}
				file := filepath.Join(t.TempDir(), "clock")
				harness.SetClock(t, file, by)
				jumped := func(line string) cloud.Result {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					return u.Binary(ctx, t, line, harness.ClockVariable+"="+file)
				}
				for _, line := range []string{"list", "deploy me/new:1", "update all --force", "clean --jobs-only --older-than 7d -f"} {
					a := jumped(line)
					said := strings.ToLower(a.Err)
					if a.Status != 0 && (a.Status != 1 || !strings.Contains(said, "clock") && !strings.Contains(said, "expired") && !strings.Contains(said, "not yet valid")) {
						t.Errorf("no word of the clock: %s", a)
					}
				}
				for _, line := range []string{"deploy me/new:1", "list", "delete all -f"} {
					if a := run(t, u, line); a.Status != 0 {
						t.Errorf("with a right clock again: %s", a)
					}
				}
				if list, err := u.Cloud.Orphans(); err != nil || len(list) > 0 {
					t.Errorf("metadata without action: %v %v", list, err)
				}
			})
		}
	}
}

// The machine's clock changes while the endpoint runs: forward beyond the lifetime of its certificate, back beyond that
// of its authority, and to the correct time again. The endpoint keeps its state, runs actions, and remains reachable
// for every client.
func TestClockOfTheEndpointJumps(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	s.Bin = harness.ClockBinary(t)
	file := filepath.Join(t.TempDir(), "clock")
	harness.SetClock(t, file, 0)
	s.Env = append(s.Env, harness.ClockVariable+"="+file)
	start := func() *harness.EndpointClient {
		s.FnRuntime("local", "start", "--python", python, "--idle-timeout", "10m")
		return s.NewClient(t)
	}
	e := start()
	pid := e.PID
	if status, body := e.Do("PUT", "/"+e.Bucket+"/kept", "since the start"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := e.Do("PUT", e.API("/actions/kept"), code); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for i, by := range []time.Duration{0, time.Hour, 400 * day, -400 * day, 0, -day} {
		harness.SetClock(t, file, by)
		if i == 4 { // kill the endpoint while its certificates are those of another time
			s.FnRuntime("local", "stop")
			e = start()
			pid = e.PID
		}
		s.FnRuntime("local", "status") // over TLS, with the same clock
		check := func(when string) {
			t.Helper()
			if now := s.Endpoint(); now.PID != pid {
				t.Fatalf("clock %s, %s: process %d ended", by, when, pid)
			}
			if status, body := e.Do("GET", "/"+e.Bucket+"/kept", ""); status != http.StatusOK || string(body) != "since the start" {
				t.Errorf("clock %s, %s: object: status %d, %.200s", by, when, status, body)
			}
			status, body := e.Do("POST", e.API("/actions/kept?blocking=true"), fmt.Sprintf(`{"n":%d}`, i))
			var doc struct {
				ActivationID string
				Duration     int64
				Response     struct{ Result struct{ N int } }
			}
			if err := json.Unmarshal(body, &doc); err != nil || status != http.StatusOK || doc.Response.Result.N != i || doc.Duration < 0 {
				t.Fatalf("clock %s, %s: invocation: status %d, %v, %.300s", by, when, status, err, body)
			}
			if status, _ := e.Do("GET", e.API("/activations/"+doc.ActivationID), ""); status != http.StatusOK {
				t.Errorf("clock %s, %s: the activation's record: status %d", by, when, status)
			}
		}
		check("kept connection")
		checkBundle(t, e)
		time.Sleep(1500 * time.Millisecond) // the endpoint would end now if it measured its idle time with this clock
		check("later")
		s.FnRuntime("deploy", "me/img:1", "-b", "local", "-t", fmt.Sprint(60+i))
	}
	harness.SetClock(t, file, 0)
	s.FnRuntime("delete", "all", "-b", "local", "-f")
	s.FnRuntime("local", "stop")
	harness.NoProcesses(t, s.Home)
}

// checkBundle checks that the bundle for Lithops clients contains the endpoint's current authority.
func checkBundle(t *testing.T, e *harness.EndpointClient) {
	t.Helper()
	ca, err := os.ReadFile(e.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := os.ReadFile(e.CABundle)
	if err != nil || !strings.Contains(string(bundle), strings.TrimSpace(string(ca))) {
		t.Errorf("the bundle does not have the endpoint's authority: %v", err)
	}
}
