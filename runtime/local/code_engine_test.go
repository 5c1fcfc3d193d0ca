package local

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
)

// cloud is a client of the endpoint's Code Engine API that uses its own project.
type cloud struct {
	*testing.T
	client  *http.Client
	token   string
	project string
}

func newCloud(t *testing.T, i Info) *cloud {
	t.Helper()
	proxy, err := url.Parse(i.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{T: t, token: i.Token, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: i.bundle(t, i.CloudBundle)}}}}
	t.Cleanup(c.client.CloseIdleConnections)
	c.project = "/" + c.send("POST", "", map[string]any{"name": "test"})["id"].(string)
	return c
}

func (c *cloud) send(method, path string, body any) (doc map[string]any) {
	c.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequest(method, "https://api.us-south.codeengine.cloud.ibm.com/v2/projects"+c.project+path, bytes.NewReader(text))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.client.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		c.Fatalf("%s %s: %s", method, path, resp.Status)
	}
	if resp.ContentLength != 0 {
		if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
			c.Fatal(err)
		}
	}
	return doc
}

// waitEnded waits until a job run with one instance has ended. It returns the status of the run and the failure reason
// of the instance.
func (c *cloud) waitEnded(name string) (status, reason string) {
	c.Helper()
	var doc map[string]any
	runtimetest.Eventually(c, "the run "+name+" has ended", func() bool {
		doc = c.send("GET", "/job_runs/"+name, nil)
		status = doc["status"].(string)
		return status == "completed" || status == "failed"
	})
	each := doc["status_details"].(map[string]any)["indices_details"].(map[string]any)
	reason, _ = each["0"].(map[string]any)["last_failure_reason"].(string)
	return status, reason
}

type object = map[string]any

func literal(name, value string) object {
	return object{"type": "literal", "name": name, "value": value}
}

// A job run is a process with its mounts and environment variables and without the user's proxy. The status of the run
// follows from the exit status of its command.
func TestJobRunsAreProcesses(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	i := startInProcess(t, nil)
	c := newCloud(t, i)
	out := filepath.Join(t.TempDir(), "out")
	c.send("POST", "/config_maps", object{"name": "code", "data": object{"main.py": `
import os, sys
open(os.environ["OUT"], "w").write("|".join([os.environ["JOB_INDEX"], os.environ["WHERE"], sys.argv[1], str(os.environ.get("HTTPS_PROXY")), os.environ["REQUESTS_CA_BUNDLE"]]))
`}})
	run := func(name string, command []string, more object) (string, string) {
		t.Helper()
		body := object{"name": name, "image_reference": "docker.io/me/image", "run_commands": command, "scale_cpu_limit": "0.125", "scale_memory_limit": "0.25G",
			"scale_retry_limit": 0, "run_volume_mounts": []object{{"type": "config_map", "reference": "code", "mount_path": "/app"}},
			"run_env_variables": []object{literal("OUT", out), literal("WHERE", "/app/main.py")}}
		maps.Copy(body, more)
		c.send("POST", "/job_runs", body)
		return c.waitEnded(name)
	}
	if status, reason := run("good", []string{"/usr/local/bin/python", "/app/main.py", "/apple"}, nil); status != "completed" {
		t.Fatalf("the run ended as %s, %s", status, reason)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "|")
	if len(parts) != 5 || parts[0] != "0" || !strings.HasPrefix(parts[1], filepath.Dir(i.CABundle)) || parts[2] != "/apple" || parts[3] != "None" || parts[4] != i.CABundle {
		t.Errorf("the process has the values %q", parts)
	}
	for _, x := range []struct {
		name, code, reason string
		more               object
	}{
		{"exit", "raise SystemExit(7)", "ContainerExitedCode7", nil},
		{"killed", "import os; os.kill(os.getpid(), 9)", "OOMKilled", nil},
		{"memory", "x = b'x' * (600 << 20); import time; time.sleep(5)", "OOMKilled", nil},
		{"time", "import time; time.sleep(60)", "DeadlineExceeded", object{"scale_max_execution_time": 1}},
		{"no-program", "", "ContainerExitedCode128", object{"run_commands": []string{"/no/such/program"}}},
		{"long-variable", "", "ContainerExitedCode128", object{"run_env_variables": []object{{"type": "config_map_full_reference", "reference": "long"}}}},
	} {
		if x.name == "long-variable" {
			c.send("POST", "/config_maps", object{"name": "long", "data": object{"LONG": strings.Repeat("x", 200_000)}})
		}
		if status, reason := run(x.name, []string{"python", "-c", x.code}, x.more); status != "failed" || reason != x.reason {
			t.Errorf("%s: the run ended as %s, %q; want failed, %q", x.name, status, reason, x.reason)
		}
	}
}

// If the endpoint is started in a shell whose HTTPS_PROXY is the endpoint's own proxy, the endpoint does not use this
// proxy, and its actions do not inherit it.
func TestEndpointDoesNotUseItsOwnProxy(t *testing.T) {
	i := Info{ProxyPort: 5, ProxySecret: "hidden"}
	got := endpointEnvironment([]string{"HTTPS_PROXY=" + i.Proxy(), "HTTP_PROXY=http://site:3128", "PATH=/bin"})
	if strings.Join(got, " ") != "HTTP_PROXY=http://site:3128 PATH=/bin" {
		t.Errorf("the endpoint's environment is %q", got)
	}
}
