package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// TestJobsAndLogs runs a map with the unmodified client, in which one call fails. It then finds the job, its calls, and
// the output of the failed call, by the IDs that the client prints.
func TestJobsAndLogs(t *testing.T) {
	for _, c := range []client{clients[0], clients[2]} {
		t.Run(c.name, func(t *testing.T) {
			venv := harness.Venv(t, c.python, append([]string{c.lithops}, c.more...)...)
			python := filepath.Join(venv, "bin", "python")
			s := harness.NewStage(t)
			s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
			s.FnRuntime("local", "start", "--python", python)
			e := s.Endpoint()
			write(t, filepath.Join(s.Home, ".lithops", "config"), c.config(t, e))
			s.Env = append(s.Env, e.Trust()...)
			s.FnRuntime("deploy", "default")
			var ran struct{ Job, Activation string }
			decode(t, result(t, s.Run(2*time.Minute, python, script(t, "fails.py"))), &ran)

			type job struct {
				Job, Executor, Function, Runtime string
				Calls                            struct{ Total, Done, Failed, Running, Waiting int }
				DurationS                        float64 `json:"duration_s"`
				GBs                              float64 `json:"gb_s"`
				List                             []struct {
					Call, State, Error string
					Activation         string `json:"activation_id"`
				}
			}
			var jobs []job
			decode(t, s.FnRuntime("jobs", "--output", "json").Stdout, &jobs)
			if len(jobs) != 1 {
				t.Fatalf("got %d jobs; want 1: %+v", len(jobs), jobs)
			}
			got := jobs[0]
			if got.Job != ran.Job || got.Calls.Total != 4 || got.Calls.Done != 3 || got.Calls.Failed != 1 || got.Function != "risky" ||
				!strings.Contains(got.Runtime, "python-v") || got.DurationS <= 0 || got.GBs <= 0 {
				t.Errorf("got %+v; want job %s of risky() with 3 calls done and 1 failed", got, ran.Job)
			}
			decode(t, s.FnRuntime("jobs", ran.Job, "--follow", "--output", "json").Stdout, &got)
			if len(got.List) != 4 || got.List[0].Call != "00002" || got.List[0].Activation != ran.Activation ||
				got.List[0].Error != `ValueError: two is \x1b[31mnot allowed` {
				t.Errorf("got calls %+v; want 00002 in %s first, with the last line of its error", got.List, ran.Activation)
			}

			for name, args := range map[string][]string{
				"what failed in the job": {"logs", "--job", ran.Job, "--failed"},
				"the activation":         {"logs", ran.Activation},
			} {
				out := s.FnRuntime(args...).Stdout
				if !strings.Contains(out, "call of 2") || !strings.Contains(out, `two is \x1b[31mnot allowed`) || strings.Contains(out, "call of 1") || strings.Contains(out, "\x1b") {
					t.Errorf("the log of %s is\n%s", name, out)
				}
			}
			if out := s.FnRuntime("logs", "--since", "1h").Stdout; strings.Count(out, "call of ") != 4 {
				t.Errorf("the log of everything is\n%s", out)
			}
		})
	}
}

// TestJobsAndLogsOfCodeEngine finds the same on Code Engine, where the service lists only job runs. The calls and their
// output are in the bucket until the client's cleaner deletes them.
func TestJobsAndLogsOfCodeEngine(t *testing.T) {
	s := newCloudStage(t, "lithops")
	write(t, filepath.Join(s.Home, ".lithops", "config"), strings.Replace(ceConfig(s.Endpoint(), ceImage), "lithops:\n", "lithops:\n  data_cleaner: false\n", 1))
	s.ours("deploy", ceImage)
	var ran struct{ Job, Activation string }
	decode(t, result(t, s.Run(2*time.Minute, s.python, script(t, "fails.py"))), &ran)
	for line, want := range map[string][]string{
		"jobs " + ran.Job:                     {"risky", "4: 3 done, 1 failed", `00002  Failed`, `ValueError: two is \x1b[31mnot allowed`},
		"logs --job " + ran.Job + " --failed": {"call of 2", `two is \x1b[31mnot allowed`, "Code Engine does not keep logs"},
	} {
		out := s.ours(strings.Fields(line)...)
		for _, words := range want {
			if !strings.Contains(out, words) {
				t.Errorf("%s: %q is not in\n%s", line, words, out)
			}
		}
		if strings.Contains(out, "call of 1") {
			t.Errorf("%s shows a call that did not fail:\n%s", line, out)
		}
	}
}
