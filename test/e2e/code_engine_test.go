package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/local"
	"fn-runtime/test/harness"
)

// ceImage is never pulled: workers are processes of the installed client.
const ceImage = "docker.io/lithopscloud/ce-local:01"

// ceClient returns the packages that a client of Code Engine installs. Its workers run as processes of the same Python.
func ceClient(lithops string) []string {
	return []string{lithops, "boto3", "ibm-code-engine-sdk", "ibm-cos-sdk", "ibm-cloud-sdk-core", "ibm-vpc", "flask", "pika", "gevent"}
}

func ceConfig(e harness.Endpoint, image string) string {
	return "lithops:\n  backend: code_engine\n  storage: minio\n" + minio(e) +
		fmt.Sprintf("ibm:\n  iam_api_key: %s\n  resource_group_id: local\n  region: eu-de\ncode_engine:\n  runtime: %s\n", e.APIKey, image)
}

// TestCodeEngineClient runs the client's own commands and jobs on the endpoint's Code Engine as if it were IBM's.
func TestCodeEngineClient(t *testing.T) {
	for _, lithops := range []string{"lithops", "lithops==3.7.0"} {
		t.Run(lithops, func(t *testing.T) {
			venv := harness.Venv(t, "3.11", ceClient(lithops)...)
			python := filepath.Join(venv, "bin", "python")
			s := harness.NewStage(t)
			s.FnRuntime("local", "start", "--python", python)
			e := s.Endpoint()
			write(t, filepath.Join(s.Home, ".lithops", "config"), ceConfig(e, ceImage))
			s.Env = append(s.Env, e.Cloud()...)
			cli := func(args ...string) string {
				r := s.Run(2*time.Minute, filepath.Join(venv, "bin", "lithops"), args...)
				return r.Stdout + r.Stderr
			}

			cli("runtime", "deploy", ceImage, "-b", "code_engine")
			cli("runtime", "deploy", ceImage, "-b", "code_engine", "--memory", "512")
			mark := len(s.Requests())
			var out struct {
				Version   string
				CallAsync int            `json:"call_async"`
				Map       []int          `json:"map"`
				Memory512 map[string]any `json:"memory_512"`
				Two       [][]int
			}
			decode(t, result(t, s.Run(5*time.Minute, python, script(t, "code_engine.py"))), &out)
			if out.CallAsync != 10 {
				t.Errorf("call_async(my_function, 3) = %d", out.CallAsync)
			}
			for x, y := range out.Map {
				if y != x+7 {
					t.Errorf("map: %d -> %d", x, y)
				}
			}
			if len(out.Map) != 100 {
				t.Errorf("map gave %d results", len(out.Map))
			}
			if w := out.Memory512; w["CE_REGION"] != "eu-de" || w["JOB_INDEX"] != "0" || w["JOB_ARRAY_SIZE"] != "1" || w["HTTPS_PROXY"] != nil {
				t.Errorf("a worker sees %v", w)
			}
			if len(out.Two) != 2 || !slices.Equal(out.Two[0], []int{10, 11}) || !slices.Equal(out.Two[1], []int{8, 9}) {
				t.Errorf("two executors at once gave %v", out.Two)
			}
			for _, r := range s.Requests()[mark:] {
				if r.Service == "codeengine" && strings.HasSuffix(r.Path, "/jobs") && r.Method == "POST" {
					t.Errorf("the client had to deploy: %s %s", r.Method, r.Path)
				}
			}
			if text := cli("runtime", "list", "-b", "code_engine"); strings.Count(text, ceImage) != 2 {
				t.Errorf("list shows\n%s", text)
			}
			cli("runtime", "delete", ceImage, "-b", "code_engine")
			if text := cli("runtime", "list", "-b", "code_engine"); strings.Contains(text, ceImage) {
				t.Errorf("after delete, list shows\n%s", text)
			}
			cli("runtime", "deploy", ceImage, "-b", "code_engine")
			cli("clean", "-b", "code_engine", "--all")
			gone := s.Requests()
			if !slices.ContainsFunc(gone, func(r local.Request) bool {
				return r.Service == "codeengine" && r.Method == "DELETE" && strings.Count(r.Path, "/") == 3
			}) {
				t.Error("clean --all deleted no project")
			}
		})
	}
}
