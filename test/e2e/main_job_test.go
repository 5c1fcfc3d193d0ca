// Package e2e runs the main job with real components: the built binary, its local endpoint, and Lithops from PyPI.
package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// client is a Lithops installation with its configuration.
type client struct {
	name    string
	python  string // major.minor
	lithops string // requirement for pip
	more    []string
	backend string // value of -b
	config  func(t *testing.T, e harness.Endpoint) string
}

// minio returns the storage section for the endpoint.
func minio(e harness.Endpoint) string {
	return fmt.Sprintf("minio:\n  endpoint: %s\n  access_key_id: %s\n  secret_access_key: %s\n  storage_bucket: %s\n",
		e.S3Endpoint, e.AccessKey, e.SecretKey, e.Bucket)
}

var clients = []client{
	{name: "newest_openwhisk", python: "3.11", lithops: "lithops", more: []string{"boto3"}, backend: "openwhisk",
		config: func(_ *testing.T, e harness.Endpoint) string {
			return "lithops:\n  backend: openwhisk\n  storage: minio\n" + minio(e) +
				fmt.Sprintf("openwhisk:\n  endpoint: %s\n  namespace: %s\n  api_key: %s\n", e.Endpoint, e.Namespace, e.APIKey)
		}},
	{name: "newest_ibm_cf", python: "3.11", lithops: "lithops[ibm]", more: []string{"boto3"}, backend: "ibm_cf",
		config: func(_ *testing.T, e harness.Endpoint) string {
			return "lithops:\n  backend: ibm_cf\n  storage: minio\n" + minio(e) +
				"ibm:\n  iam_api_key: Ab_x-0123456789\n" +
				fmt.Sprintf("ibm_cf:\n  endpoint: %s\n  namespace: %s\n  token: %s\n  token_expiry_time: %d\n",
					e.Endpoint, e.Namespace, e.Token, time.Now().Add(48*time.Hour).Unix())
		}},
	{name: "2.6.0_ibm_cf", python: "3.8", lithops: "lithops==2.6.0", more: []string{"boto3"}, backend: "ibm_cf",
		config: func(_ *testing.T, e harness.Endpoint) string {
			return "lithops:\n  backend: ibm_cf\n  storage: minio\n  storage_bucket: " + e.Bucket + "\n" + minio(e) +
				fmt.Sprintf("ibm_cf:\n  endpoint: %s\n  namespace: %s\n  api_key: %s\n", e.Endpoint, e.Namespace, e.APIKey)
		}},
}

// TestMainJob deploys with the plug-in and runs the examples of the seed (the original instructions) with the
// unmodified client. The request log of the endpoint must show that the client did not deploy anything itself. After
// the deletion of everything, the client finds no runtime.
func TestMainJob(t *testing.T) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			venv := harness.Venv(t, c.python, append([]string{c.lithops}, c.more...)...)
			python := filepath.Join(venv, "bin", "python")
			s := harness.NewStage(t)
			s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
			s.FnRuntime("local", "start", "--python", python)
			e := s.Endpoint()
			config := filepath.Join(s.Home, ".lithops", "config")
			write(t, config, c.config(t, e))
			s.Env = append(s.Env, e.Trust()...)

			const second = "someone/second_runtime:0.1"
			s.FnRuntime("deploy", "default", "-m", "256,512")
			s.FnRuntime("deploy", second)
			again := s.FnRuntime("deploy", "default", "-m", "256,512", "--output", "json")
			if strings.Contains(again.Stdout, `"create"`) || strings.Contains(again.Stdout, `"update"`) {
				t.Errorf("the second deploy changed something:\n%s", again.Stdout)
			}

			mark := len(s.Requests())
			job(t, s, python, second)
			for _, r := range s.Requests()[mark:] {
				if r.Service == "openwhisk" && r.Method != "POST" && r.Method != "GET" {
					t.Errorf("the client had to deploy: %s %s (%s)", r.Method, r.Path, r.UserAgent)
				}
			}

			if f := find(t, s, python); !f.Metadata || len(f.Actions) != 3 {
				t.Errorf("before delete the client finds metadata %v and actions %v", f.Metadata, f.Actions)
			}
			s.FnRuntime("delete", "all", "-f")
			if f := find(t, s, python); f.Metadata || len(f.Actions) != 0 {
				t.Errorf("after delete the client still finds metadata %v, actions %v", f.Metadata, f.Actions)
			}
			if left := files(t, filepath.Join(s.Home, ".lithops", "cache", "lithops.runtimes")); len(left) > 0 {
				t.Errorf("the local cache still contains %v", left)
			}
		})
	}
}

// TestOrphanMetadataIsRepaired deletes the action and keeps its metadata, with which the real client would wait
// forever.
func TestOrphanMetadataIsRepaired(t *testing.T) {
	c := clients[0]
	venv := harness.Venv(t, c.python, append([]string{c.lithops}, c.more...)...)
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	s.FnRuntime("local", "start", "--python", python)
	e := s.Endpoint()
	write(t, filepath.Join(s.Home, ".lithops", "config"), c.config(t, e))
	s.Env = append(s.Env, e.Trust()...)
	s.FnRuntime("deploy", "default")

	var listed []struct{ Package, Action, State string }
	decode(t, s.FnRuntime("list", "--output", "json").Stdout, &listed)
	if len(listed) != 1 || listed[0].State != "ready" {
		t.Fatalf("list says %+v", listed)
	}
	removeAction(t, e, listed[0].Package, listed[0].Action)

	decode(t, s.FnRuntime("list", "--output", "json").Stdout, &listed)
	if len(listed) != 1 || listed[0].State != "orphan_metadata" {
		t.Errorf("list does not see the orphan: %+v", listed)
	}
	if r := s.Try(time.Minute, s.Bin, "doctor"); r.Code != 1 || !strings.Contains(r.Stdout+r.Stderr, "--repair") {
		t.Errorf("doctor: exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	s.FnRuntime("doctor", "--repair")
	if f := find(t, s, python); f.Metadata {
		t.Error("the client still finds the metadata after doctor --repair")
	}
	decode(t, s.FnRuntime("list", "--output", "json").Stdout, &listed)
	if len(listed) != 0 {
		t.Errorf("list says %+v after the repair", listed)
	}
}

// removeAction deletes the action without its metadata, as another client might.
func removeAction(t *testing.T, e harness.Endpoint, pkg, action string) {
	t.Helper()
	ca, err := os.ReadFile(e.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	req, err := http.NewRequest(http.MethodDelete, e.Endpoint+"/api/v1/namespaces/_/actions/"+pkg+"/"+action, nil)
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(e.APIKey, ":")
	req.SetBasicAuth(user, password)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("DELETE action: %s", resp.Status)
	}
}

// job runs the seed's examples and checks their output.
func job(t *testing.T, s *harness.Stage, python, second string) {
	t.Helper()
	r := s.Run(5*time.Minute, python, script(t, "seed.py"), second)
	var out struct {
		Version   string `json:"version"`
		CallAsync int    `json:"call_async"`
		Map       []int  `json:"map"`
		Memory512 string `json:"memory_512"`
		Second    string `json:"second"`
	}
	decode(t, result(t, r), &out)
	if out.CallAsync != 10 {
		t.Errorf("call_async(my_function, 3) = %d", out.CallAsync)
	}
	if len(out.Map) != 100 {
		t.Errorf("map gave %d results", len(out.Map))
	}
	for x, y := range out.Map {
		if y != x+7 {
			t.Errorf("map: %d -> %d", x, y)
		}
	}
	if !strings.Contains(out.Memory512, "512MB") {
		t.Errorf("runtime_memory=512 ran in %q", out.Memory512)
	}
	if !strings.Contains(out.Second, "second_runtime") {
		t.Errorf("the second runtime's job ran in %q", out.Second)
	}
	t.Logf("Lithops %s: the examples took %s", out.Version, r.Took.Round(time.Millisecond))
}

type found struct {
	Key      string  `json:"key"`
	Metadata bool    `json:"metadata"`
	Actions  [][]any `json:"actions"`
}

func find(t *testing.T, s *harness.Stage, python string) (f found) {
	t.Helper()
	decode(t, result(t, s.Run(time.Minute, python, script(t, "find.py"), "256")), &f)
	return f
}

func result(t *testing.T, r harness.Result) string {
	t.Helper()
	for line := range strings.Lines(r.Stdout) {
		if rest, ok := strings.CutPrefix(line, "RESULT "); ok {
			return rest
		}
	}
	t.Fatalf("no result in\n%s%s", r.Stdout, r.Stderr)
	return ""
}

func script(t *testing.T, name string) string {
	return filepath.Join(harness.Root(t), "test", "e2e", "jobs", name)
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("not the JSON expected: %v\n%s", err, text)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return nil
	})
	return all
}
