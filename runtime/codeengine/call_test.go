package codeengine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// callRuntime registers a runtime and calls it with a time limit.
func callRuntime(t *testing.T, s *fakeService, limit time.Duration) (result string, cause, err error) {
	c := newCompute(s)
	s.intercept = nil
	r := register(t, c, runtimeOf(c, 256))
	late := fault.New(fault.Timeout, c.Terms().Scope.Text, c.Terms().Scope.Text)
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, late)
	defer cancel()
	run, err := c.Call(ctx, r.ID)
	if run.Success && run.Cause != nil || err == nil && !run.Success && run.Cause == nil {
		t.Errorf("contradictory activation: %+v", run)
	}
	return string(run.Result), run.Cause, err
}

// remaining returns the resources that a call should have deleted.
func (s *fakeService) remaining() (all []string) {
	for _, name := range append(s.names("job_runs"), s.names("config_maps")...) {
		if strings.HasPrefix(name, "fn-runtime-meta-") {
			all = append(all, name)
		}
	}
	for key := range s.objects {
		all = append(all, key)
	}
	return all
}

// Call returns the metadata that a successful run wrote to the bucket, and deletes all resources of the run.
func TestCallReturnsMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeService()
		polls := 0
		s.onRun = func(run map[string]any) {
			run["status"] = "pending"
			time.AfterFunc(20*time.Second, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				run["status"] = "completed"
				s.objects["lithops.jobs/"+run["name"].(string)+".meta"] = `{"python_version": "3.11"}`
			})
		}
		got, _, err := callRuntime(t, s, 5*time.Minute)
		for _, line := range s.log {
			if strings.HasPrefix(line, "GET /id-1/job_runs/") {
				polls++
			}
		}
		if err != nil || got != `{"python_version": "3.11"}` {
			t.Errorf("Call = %q, %v", got, err)
		}
		if polls < 5 || polls > 12 {
			t.Errorf("%d polls for a run of 20 s", polls)
		}
		if remaining := s.remaining(); len(remaining) > 0 {
			t.Errorf("remaining: %q", remaining)
		}
	})
}

// The reason of the service for a failed run becomes a cause with a remedy, and no resources of the run remain.
func TestFailureCauses(t *testing.T) {
	for reason, want := range map[string]string{
		"OOMKilled":                  "needs more than 256 MB|--memory 512",
		"ContainerExitedCode1":       "exited with code 1|--code image",
		"ContainerExitedCode127":     "no Python at /usr/local/bin/python|init --backend code_engine",
		"ExceededEphemeralStorage":   "disk",
		"ImagePullBackOff":           "cannot pull the image docker.io/me/image:1|docker_user",
		"FailedMount":                "cannot mount the Lithops code|--code image",
		"DeadlineExceeded":           "timeout|longer timeout",
		"SomethingNew":               "SomethingNew|IBM Cloud Logs",
		"":                           "did not report a reason",
		"pending":                    "did not start in time|--code image",
		"running":                    "in time|bucket",
		"completed without metadata": "wrote no metadata|endpoint",
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFakeService()
				s.onRun = func(run map[string]any) {
					switch run["status"] = "failed"; reason {
					case "pending", "running":
						run["status"] = reason
					case "completed without metadata":
						run["status"] = "completed"
					}
					run["status_details"] = map[string]any{"requested": 1, "running": map[string]int{"running": 1}[reason], "failed": map[bool]int{true: 1}[run["status"] == "failed"],
						"indices_details": map[string]any{"0": map[string]any{"last_failure_reason": strings.TrimPrefix(reason, "pending")}}}
					if run["status"] != "failed" {
						delete(run["status_details"].(map[string]any), "indices_details")
					}
				}
				_, cause, err := callRuntime(t, s, 5*time.Minute)
				var f *fault.Fault
				if err != nil || !errors.As(cause, &f) {
					t.Fatalf("Call returned the cause %v and the error %v", cause, err)
				}
				for part := range strings.SplitSeq(want, "|") {
					if message := f.Reason.String() + " " + f.Recovery.String(); !strings.Contains(message, part) {
						t.Errorf("%q is not in %q", part, message)
					}
				}
				if remaining := s.remaining(); len(remaining) > 0 {
					t.Errorf("remaining: %q", remaining)
				}
			})
		})
	}
}

// Call deletes its config map regardless of which requests fail.
func TestCallCleansUpAfterErrors(t *testing.T) {
	for name, intercept := range map[string]func(request string, n int) (int, string){
		"the service is busy": func(r string, n int) (int, string) { return conflictIf(r == "POST /job_runs" && n < 2) },
		"no more runs": func(r string, _ int) (int, string) {
			return 403 * oneIf(r == "POST /job_runs"), errorBody("quota_exceeded", "The quota of 100 job runs is exceeded.")
		},
		"no more config maps": func(r string, _ int) (int, string) {
			return 403 * oneIf(r == "POST /config_maps"), errorBody("q", "Quota exceeded.")
		},
		"polls fail": func(r string, _ int) (int, string) { return 500 * oneIf(strings.HasPrefix(r, "GET /job_runs/")), "" },
		"the run was deleted": func(r string, _ int) (int, string) {
			return 404 * oneIf(strings.HasPrefix(r, "GET /job_runs/")), errorBody("resource_not_found", "Resource not found.")
		},
		"the job was deleted": func(r string, _ int) (int, string) {
			return 404 * oneIf(r == "POST /job_runs"), errorBody("resource_not_found", "The job does not exist.")
		},
		"malformed response": func(r string, _ int) (int, string) {
			return 200 * oneIf(strings.HasPrefix(r, "GET /job_runs/")), "<html>"
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFakeService()
				s.onRun = func(run map[string]any) {
					run["status"] = "running"
					time.AfterFunc(10*time.Second, func() {
						s.mu.Lock()
						defer s.mu.Unlock()
						run["status"] = "completed"
						s.objects["lithops.jobs/"+run["name"].(string)+".meta"] = "{}"
					})
				}
				c := newCompute(s)
				r := register(t, c, runtimeOf(c, 256))
				n := map[string]int{}
				s.intercept = func(req *http.Request) (int, string) {
					line := req.Method + strings.Replace(req.URL.Path, "/v2/projects/id-1", " ", 1)
					n[line]++
					if req.Method == "GET" && strings.HasSuffix(req.URL.Path, "config_maps") {
						return 0, ""
					}
					return intercept(line, n[line]-1)
				}
				_, err := c.Call(t.Context(), r.ID)
				if (err == nil) != (name == "the service is busy") {
					t.Errorf("Call: %v", err)
				}
				time.Sleep(time.Minute) // runs that continued have ended
				s.mu.Lock()
				clear(s.objects)
				s.mu.Unlock()
				if remaining := s.remaining(); len(remaining) > 0 {
					t.Errorf("remaining: %q", remaining)
				}
			})
		})
	}
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func conflictIf(yes bool) (int, string) { return 409 * oneIf(yes), errorBody("conflict", "Try again.") }

// An interrupted call deletes its run and its config map.
func TestInterruptedCallCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeService()
		s.onRun = func(run map[string]any) { run["status"] = "running" }
		c := newCompute(s)
		r := register(t, c, runtimeOf(c, 256))
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		time.AfterFunc(5*time.Second, func() { cancel(stop) })
		if _, err := c.Call(ctx, r.ID); !errors.Is(err, stop) {
			t.Errorf("Call: %v", err)
		}
		if remaining := s.remaining(); len(remaining) > 0 {
			t.Errorf("remaining: %q", remaining)
		}
	})
}

// The next call deletes the resources of a killed command, and keeps the resources of other commands.
func TestCallDeletesAbandonedRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeService()
		for name, x := range map[string]struct {
			age time.Duration
			run string
		}{
			"ended": {5 * time.Minute, "completed"}, "ends": {time.Second, "completed"}, "runs": {time.Second, "running"}, "hangs": {2 * time.Hour, "running"}, "new": {time.Second, ""}, "lost": {time.Hour, ""},
		} {
			full := "fn-runtime-meta-" + name
			created := time.Now().Add(-x.age).Format(time.RFC3339)
			s.resources["config_maps"][full] = map[string]any{"name": full, "created_at": created}
			if x.run != "" {
				s.resources["job_runs"][full] = map[string]any{"name": full, "status": x.run, "created_at": created}
			}
		}
		s.add("job_runs", "fn-runtime-meta-alone", "status", "completed", "created_at", time.Now().Add(-time.Hour).Format(time.RFC3339))
		s.resources["config_maps"]["lithops-of-a-job"] = map[string]any{"name": "lithops-of-a-job", "created_at": "2020-01-01T00:00:00Z"}
		if _, _, err := callRuntime(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
		want := []string{"fn-runtime-380-0123456789ab", "fn-runtime-meta-ends", "fn-runtime-meta-new", "fn-runtime-meta-runs", "lithops-of-a-job"}
		if got := s.names("config_maps"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := s.names("job_runs"); slices.Contains(got, "fn-runtime-meta-alone") {
			t.Errorf("a run without a config map was kept: %q", got)
		}
	})
}

// The resources of a killed command on this machine are deleted immediately, regardless of the state of its run.
func TestCallDeletesOrphanedRuns(t *testing.T) {
	exited := exec.Command(os.Args[0], "-test.run=^$")
	if err := exited.Run(); err != nil {
		t.Fatal(err)
	}
	s := newFakeService()
	name := func(pid int) string {
		return metadataPrefix + machineID() + "-" + strconv.FormatInt(int64(pid), 36) + "-abcdefghijkl"
	}
	for _, pid := range []int{exited.Process.Pid, os.Getpid()} {
		s.add("config_maps", name(pid), "created_at", time.Now().UTC().Format(time.RFC3339))
		s.add("job_runs", name(pid), "status", "running")
	}
	if _, _, err := callRuntime(t, s, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, want := s.names("job_runs"), []string{name(os.Getpid())}; !slices.Equal(got, want) {
		t.Errorf("got the runs %q, want the run of the live process: %q", got, want)
	}
	if len(newRunName()) > 53 {
		t.Errorf("%s is too long for a run", newRunName())
	}
}

// The payload contains a unique name for the metadata of the worker.
func TestCallPassesAUniqueName(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	r := register(t, c, runtimeOf(c, 256))
	var payload, run string
	s.intercept = func(req *http.Request) (int, string) {
		if req.Method == "POST" {
			if body := s.bodies[len(s.bodies)-1]; strings.HasSuffix(req.URL.Path, "config_maps") {
				payload = body
			} else {
				run = body
			}
		}
		return 0, ""
	}
	if _, err := c.Call(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(payload, lithops.PayloadKey) || !strings.Contains(payload, "payload of fn-runtime-meta-") {
		t.Errorf("the config map is %s", payload)
	}
	for _, part := range []string{`"scale_array_spec":"0-0"`, `"scale_retry_limit":0`, `"value":"metadata"`, `"type":"config_map_key_reference"`} {
		if !strings.Contains(run, part) {
			t.Errorf("%s is not in %s", part, run)
		}
	}
}

// Call creates the config map with the code again if a concurrent deletion removed it, and the waiting run continues.
func TestCallRestoresTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeService()
		c := newCompute(s)
		r := register(t, c, runtimeOf(c, 256))
		name := c.codeName(code)
		delete(s.resources["config_maps"], name)
		var run string
		s.intercept = func(req *http.Request) (int, string) {
			status := "completed"
			if s.resources["config_maps"][name] == nil {
				status = "pending"
			}
			_, suffix, ok := strings.Cut(req.URL.Path, "/job_runs")
			switch {
			case !ok:
				return 0, ""
			case req.Method == "POST":
				run = nameOf(s.bodies[len(s.bodies)-1])
				s.objects[lithops.JobMetadataKey(run)] = "{}"
			case req.Method == "DELETE":
				run = "" // deleted
				return 0, ""
			case req.Method != "GET" || suffix != "/"+run:
				return 0, ""
			}
			return 200, fmt.Sprintf(`{"name":%q,"job_name":%q,"status":%q}`, run, r.ID.Name, status)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if a, err := c.Call(ctx, r.ID); err != nil || !a.Success {
			t.Errorf("got %+v, %v", a, err)
		}
	})
}

func nameOf(body string) string {
	var doc struct{ Name string }
	_ = json.Unmarshal([]byte(body), &doc)
	return doc.Name
}
