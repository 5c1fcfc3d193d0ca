package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// cloudStage is a stage on which all clients, including ours, use the local endpoint as IBM Cloud Code Engine.
type cloudStage struct {
	*harness.Stage
	python, lithops string // the programs of the client's environment
}

func newCloudStage(t *testing.T, lithops string) *cloudStage {
	venv := harness.Venv(t, "3.11", ceClient(lithops)...)
	s := &cloudStage{harness.NewStage(t), filepath.Join(venv, "bin", "python"), filepath.Join(venv, "bin", "lithops")}
	s.FnRuntime("local", "start", "--python", s.python)
	e := s.Endpoint()
	write(t, filepath.Join(s.Home, ".lithops", "config"), ceConfig(e, ceImage))
	s.Env = append(s.Env, e.Cloud()...)
	return s
}

// ours runs a command of the plug-in on Code Engine, with the client of the stage.
func (s *cloudStage) ours(args ...string) string {
	r := s.FnRuntime(append(args, "-b", "code_engine", "--python", s.python)...)
	return r.Stdout + r.Stderr
}

// changes returns the modifying requests to the service since a mark.
func (s *cloudStage) changes(mark int, path string) (all []string) {
	for _, r := range s.Requests()[mark:] {
		if r.Service == "codeengine" && r.Method != "GET" && strings.Contains(r.Path, path) {
			all = append(all, r.Method+" "+r.Path)
		}
	}
	return all
}

// TestCodeEngineDeploy deploys for the unmodified client from PyPI. The client then runs jobs and never has to deploy.
func TestCodeEngineDeploy(t *testing.T) {
	for _, lithops := range []string{"lithops", "lithops==3.7.0"} {
		t.Run(lithops, func(t *testing.T) {
			s := newCloudStage(t, lithops)
			s.ours("deploy", ceImage)
			s.ours("deploy", ceImage, "--memory", "512")
			mark := len(s.Requests())
			s.ours("deploy", ceImage, "--memory", "256,512")
			if again := s.changes(mark, ""); len(again) > 0 {
				t.Errorf("deploying the same again sent %q", again)
			}

			mark = len(s.Requests())
			var out struct {
				CallAsync int `json:"call_async"`
				Map       []int
				Memory512 map[string]any `json:"memory_512"`
				Two       [][]int
			}
			decode(t, result(t, s.Run(5*time.Minute, s.python, script(t, "code_engine.py"))), &out)
			if out.CallAsync != 10 {
				t.Errorf("call_async(my_function, 3) = %d, want 10", out.CallAsync)
			}
			for x, y := range out.Map {
				if y != x+7 {
					t.Errorf("map: %d -> %d", x, y)
				}
			}
			if len(out.Map) != 100 {
				t.Errorf("map gave %d results, want 100", len(out.Map))
			}
			if w := out.Memory512; w["JOB_INDEX"] != "0" || w["CE_REGION"] != "eu-de" {
				t.Errorf("a worker with 512 MB sees %v", w)
			}
			if len(out.Two) != 2 || !slices.Equal(out.Two[0], []int{10, 11}) || !slices.Equal(out.Two[1], []int{8, 9}) {
				t.Errorf("two executors at once gave %v", out.Two)
			}
			if made := s.changes(mark, "/jobs"); len(made) > 0 {
				t.Errorf("the client had to deploy: %q", made)
			}
			if left := s.changes(mark, "runtime-metadata"); len(left) > 0 {
				t.Errorf("the client asked for metadata: %q", left)
			}

			if list := s.ours("list"); strings.Count(list, ceImage) != 2 || !strings.Contains(list, "512") {
				t.Errorf("list shows\n%s", list)
			}
			r := s.Run(2*time.Minute, s.lithops, "runtime", "list", "-b", "code_engine")
			if text := r.Stdout + r.Stderr; strings.Count(text, ceImage) != 2 {
				t.Errorf("the client's list shows\n%s", text)
			}
			s.ours("delete", ceImage, "-f")
			r = s.Run(2*time.Minute, s.lithops, "runtime", "list", "-b", "code_engine")
			if text := r.Stdout + r.Stderr; strings.Contains(text, ceImage) {
				t.Errorf("after delete the client's list shows\n%s", text)
			}
			if maps := s.changes(0, "/config_maps/fn-runtime-"); len(maps) == 0 || !strings.HasPrefix(maps[len(maps)-1], "DELETE") {
				t.Errorf("the code was not removed with its last job: %q", maps)
			}
		})
	}
}
