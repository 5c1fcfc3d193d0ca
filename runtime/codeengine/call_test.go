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

// call registers a runtime and calls it within a limit, in a bubble of time.
func call(t *testing.T, s *service, limit time.Duration) (result string, cause, err error) {
	c := opened(s)
	s.before = nil
	r := register(t, c, wanted(c, 256))
	late := fault.New(fault.Timeout, c.Terms().Scope.Text, c.Terms().Scope.Text)
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, late)
	defer cancel()
	run, err := c.Call(ctx, r.ID)
	if run.Success && run.Cause != nil || err == nil && !run.Success && run.Cause == nil {
		t.Errorf("an activation that contradicts itself: %+v", run)
	}
	return string(run.Result), run.Cause, err
}

// left returns what a call should have removed.
func (s *service) left() (all []string) {
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

// A run that succeeds gives what it left in the bucket, and nothing of it remains.
func TestCallGivesMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		looks := 0
		s.ends = func(run map[string]any) {
			run["status"] = "pending"
			time.AfterFunc(20*time.Second, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				run["status"] = "completed"
				s.objects["lithops.jobs/"+run["name"].(string)+".meta"] = `{"python_version": "3.11"}`
			})
		}
		got, _, err := call(t, s, 5*time.Minute)
		for _, line := range s.log {
			if strings.HasPrefix(line, "GET /id-1/job_runs/") {
				looks++
			}
		}
		if err != nil || got != `{"python_version": "3.11"}` {
			t.Errorf("Call = %q, %v", got, err)
		}
		if looks < 5 || looks > 12 {
			t.Errorf("%d looks at a run of 20 s", looks)
		}
		if left := s.left(); len(left) > 0 {
			t.Errorf("there is still %q", left)
		}
	})
}

// What the service says of a run that failed becomes a cause with a remedy, and nothing of the run remains.
func TestCauses(t *testing.T) {
	for reason, want := range map[string]string{
		"OOMKilled":                   "needs more than 256 MB|--memory 512",
		"ContainerExitedCode1":        "exited with code 1|--code image",
		"ContainerExitedCode127":      "no Python at /usr/local/bin/python|init --backend code_engine",
		"ExceededEphemeralStorage":    "disk",
		"ImagePullBackOff":            "cannot pull the image docker.io/me/image:1|docker_user",
		"FailedMount":                 "cannot mount the Lithops code|--code image",
		"DeadlineExceeded":            "timeout|longer timeout",
		"SomethingNew":                "SomethingNew|IBM Cloud Logs",
		"":                            "did not report a reason",
		"pending":                     "did not start in time|--code image",
		"running":                     "in time|bucket",
		"completed without an answer": "wrote no metadata|endpoint",
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				s.ends = func(run map[string]any) {
					switch run["status"] = "failed"; reason {
					case "pending", "running":
						run["status"] = reason
					case "completed without an answer":
						run["status"] = "completed"
					}
					run["status_details"] = map[string]any{"requested": 1, "running": map[string]int{"running": 1}[reason], "failed": map[bool]int{true: 1}[run["status"] == "failed"],
						"indices_details": map[string]any{"0": map[string]any{"last_failure_reason": strings.TrimPrefix(reason, "pending")}}}
					if run["status"] != "failed" {
						delete(run["status_details"].(map[string]any), "indices_details")
					}
				}
				_, cause, err := call(t, s, 5*time.Minute)
				var f *fault.Fault
				if err != nil || !errors.As(cause, &f) {
					t.Fatalf("Call gave the cause %v, and %v", cause, err)
				}
				for words := range strings.SplitSeq(want, "|") {
					if said := f.Reason.String() + " " + f.Recovery.String(); !strings.Contains(said, words) {
						t.Errorf("%q is not in %q", words, said)
					}
				}
				if left := s.left(); len(left) > 0 {
					t.Errorf("there is still %q", left)
				}
			})
		})
	}
}

// Whatever happens to the requests of a call, its config map does not stay.
func TestCallLeavesNothing(t *testing.T) {
	for name, spoil := range map[string]func(request string, n int) (int, string){
		"the service is busy": func(r string, n int) (int, string) { return once409(r == "POST /job_runs" && n < 2) },
		"no more runs": func(r string, _ int) (int, string) {
			return 403 * b(r == "POST /job_runs"), refused("quota_exceeded", "The quota of 100 job runs is exceeded.")
		},
		"no more config maps": func(r string, _ int) (int, string) {
			return 403 * b(r == "POST /config_maps"), refused("q", "Quota exceeded.")
		},
		"no look at the run": func(r string, _ int) (int, string) { return 500 * b(strings.HasPrefix(r, "GET /job_runs/")), "" },
		"the run is gone": func(r string, _ int) (int, string) {
			return 404 * b(strings.HasPrefix(r, "GET /job_runs/")), refused("resource_not_found", "Resource not found.")
		},
		"the job is gone": func(r string, _ int) (int, string) {
			return 404 * b(r == "POST /job_runs"), refused("resource_not_found", "The job does not exist.")
		},
		"an answer that is no run": func(r string, _ int) (int, string) { return 200 * b(strings.HasPrefix(r, "GET /job_runs/")), "<html>" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				s.ends = func(run map[string]any) {
					run["status"] = "running"
					time.AfterFunc(10*time.Second, func() {
						s.mu.Lock()
						defer s.mu.Unlock()
						run["status"] = "completed"
						s.objects["lithops.jobs/"+run["name"].(string)+".meta"] = "{}"
					})
				}
				c := opened(s)
				r := register(t, c, wanted(c, 256))
				n := map[string]int{}
				s.before = func(req *http.Request) (int, string) {
					line := req.Method + strings.Replace(req.URL.Path, "/v2/projects/id-1", " ", 1)
					n[line]++
					if req.Method == "GET" && strings.HasSuffix(req.URL.Path, "config_maps") {
						return 0, ""
					}
					return spoil(line, n[line]-1)
				}
				_, err := c.Call(t.Context(), r.ID)
				if (err == nil) != (name == "the service is busy") {
					t.Errorf("Call: %v", err)
				}
				time.Sleep(time.Minute) // a run that went on has ended
				s.mu.Lock()
				clear(s.objects)
				s.mu.Unlock()
				if left := s.left(); len(left) > 0 {
					t.Errorf("there is still %q", left)
				}
			})
		})
	}
}

func b(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func once409(yes bool) (int, string) { return 409 * b(yes), refused("conflict", "Try again.") }

// An interrupted call takes its run and its config map away.
func TestCallIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.ends = func(run map[string]any) { run["status"] = "running" }
		c := opened(s)
		r := register(t, c, wanted(c, 256))
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		time.AfterFunc(5*time.Second, func() { cancel(stop) })
		if _, err := c.Call(ctx, r.ID); !errors.Is(err, stop) {
			t.Errorf("Call: %v", err)
		}
		if left := s.left(); len(left) > 0 {
			t.Errorf("there is still %q", left)
		}
	})
}

// What a killed command has left is removed by the next call; what another one has need of stays.
func TestNextCallRemovesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		for name, x := range map[string]struct {
			age time.Duration
			run string
		}{
			"ended": {5 * time.Minute, "completed"}, "ends": {time.Second, "completed"}, "runs": {time.Second, "running"}, "hangs": {2 * time.Hour, "running"}, "new": {time.Second, ""}, "lost": {time.Hour, ""},
		} {
			full := "fn-runtime-meta-" + name
			made := time.Now().Add(-x.age).Format(time.RFC3339)
			s.resources["config_maps"][full] = map[string]any{"name": full, "created_at": made}
			if x.run != "" {
				s.resources["job_runs"][full] = map[string]any{"name": full, "status": x.run, "created_at": made}
			}
		}
		s.put("job_runs", "fn-runtime-meta-alone", "status", "completed", "created_at", time.Now().Add(-time.Hour).Format(time.RFC3339))
		s.resources["config_maps"]["lithops-of-a-job"] = map[string]any{"name": "lithops-of-a-job", "created_at": "2020-01-01T00:00:00Z"}
		if _, _, err := call(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
		want := []string{"fn-runtime-380-0123456789ab", "fn-runtime-meta-ends", "fn-runtime-meta-new", "fn-runtime-meta-runs", "lithops-of-a-job"}
		if got := s.names("config_maps"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("there is %q, want %q", got, want)
		}
		if got := s.names("job_runs"); slices.Contains(got, "fn-runtime-meta-alone") {
			t.Errorf("a run that has lost its config map stays: %q", got)
		}
	})
}

// What a command on this machine has left that was killed is removed at once, whatever its run does.
func TestNextCallKnowsWhoIsGone(t *testing.T) {
	gone := exec.Command(os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	s := newService()
	name := func(pid int) string {
		return metaPrefix + machine() + "-" + strconv.FormatInt(int64(pid), 36) + "-abcdefghijkl"
	}
	for _, pid := range []int{gone.Process.Pid, os.Getpid()} {
		s.put("config_maps", name(pid), "created_at", time.Now().UTC().Format(time.RFC3339))
		s.put("job_runs", name(pid), "status", "running")
	}
	if _, _, err := call(t, s, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, want := s.names("job_runs"), []string{name(os.Getpid())}; !slices.Equal(got, want) {
		t.Errorf("there are the runs %q, want that of the process that lives: %q", got, want)
	}
	if len(callName()) > 53 {
		t.Errorf("%s is too long for a run", callName())
	}
}

// The worker is told where to leave its metadata under a name that no other run has.
func TestCallIsToldItsOwnName(t *testing.T) {
	s := newService()
	c := opened(s)
	r := register(t, c, wanted(c, 256))
	var payload, run string
	s.before = func(req *http.Request) (int, string) {
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

// Code that a deletion at the same time has taken for unused is made again, and the run that waits for it goes on.
func TestCallRestoresItsCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		c := opened(s)
		r := register(t, c, wanted(c, 256))
		name := c.codeName(code)
		delete(s.resources["config_maps"], name)
		var run string
		s.before = func(req *http.Request) (int, string) {
			status := "completed"
			if s.resources["config_maps"][name] == nil {
				status = "pending"
			}
			_, of, one := strings.Cut(req.URL.Path, "/job_runs")
			switch {
			case !one:
				return 0, ""
			case req.Method == "POST":
				run = nameIn(s.bodies[len(s.bodies)-1])
				s.objects[lithops.JobMetadataKey(run)] = "{}"
			case req.Method == "DELETE":
				run = "" // it is not there any more
				return 0, ""
			case req.Method != "GET" || of != "/"+run:
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

func nameIn(body string) string {
	var doc struct{ Name string }
	_ = json.Unmarshal([]byte(body), &doc)
	return doc.Name
}
