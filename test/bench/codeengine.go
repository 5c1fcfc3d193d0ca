package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// jobsImage is never pulled: job runs are processes of the client's Python.
const jobsImage = "docker.io/bench/jobs"

// cloudEngine is a Code Engine project on a separate local endpoint. Both programs use the names of IBM's hosts and
// reach the endpoint through a proxy that adds the same delay to each request.
type cloudEngine struct {
	*account
	tunnels *tunnelProxy
	token   string
	project string
}

// jobs measures common operations on Code Engine runtimes, compared with the client's own commands on the same
// endpoint.
func jobs(ctx context.Context, b *bench) ([]row, error) {
	c, err := newCloudEngine(ctx, b)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var rows []row
	for _, part := range []func(context.Context) ([]row, error){c.measureDeploy, c.measureUpdate, c.measureDelete, c.measureClean} {
		more, err := part(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// measureDeploy measures the first deployment and one that changes nothing.
func (c *cloudEngine) measureDeploy(ctx context.Context) ([]row, error) {
	var rows []row
	for _, work := range []string{"first time", "nothing to do"} {
		run := func(program func(context.Context, ...string) (cost, error), args ...string) (cost, error) {
			return c.medianOf(ctx, 3, func(ctx context.Context) (cost, error) {
				if work == "first time" {
					if err := c.deleteAll(ctx); err != nil {
						return cost{}, err
					}
				}
				return program(ctx, args...)
			})
		}
		ours, err := run(c.ours, "deploy", jobsImage+"-0:1")
		if err != nil {
			return nil, err
		}
		theirs, err := run(c.theirs, "runtime", "deploy", jobsImage+"-0:1")
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{Work: "Code Engine: deploy, " + work + ", 50 ms per request", Ours: ours.took, Theirs: theirs.took,
			Who: "lithops runtime deploy", Note: fmt.Sprintf("%d requests, theirs %d", ours.requests, theirs.requests)})
		if work == "first time" { // delete the resources that the other program has created
			if _, err := c.ours(ctx, "deploy", jobsImage+"-0:1"); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// measureUpdate measures the update of 30 runtimes.
func (c *cloudEngine) measureUpdate(ctx context.Context) ([]row, error) {
	if err := c.fillProject(ctx, 10, "256,512,1024"); err != nil {
		return nil, err
	}
	ours, err := c.ours(ctx, "update", "all", "--force")
	if err != nil {
		return nil, err
	}
	theirs, err := c.theirs(ctx, "runtime", "update", "all")
	if err != nil {
		return nil, err
	}
	return []row{{Work: "Code Engine: update all, 30 runtimes of 10 images, per runtime", Ours: ours.took / 30, Theirs: theirs.took / 30, Who: "lithops runtime update",
		Note: fmt.Sprintf("%s in total, theirs %s", round(ours.took), round(theirs.took))}}, nil
}

// measureDelete measures the deletion of 90 runtimes, per runtime that is actually deleted.
func (c *cloudEngine) measureDelete(ctx context.Context) ([]row, error) {
	const n = 90
	one := func(program func(context.Context, ...string) (cost, error), args ...string) (cost, int, error) {
		if err := c.fillProject(ctx, n/5, "256,512,1024,2048,4096"); err != nil {
			return cost{}, 0, err
		}
		done, err := program(ctx, args...)
		if err != nil {
			return done, 0, err
		}
		left, err := c.count(ctx, "jobs")
		return done, left, err
	}
	ours, oursLeft, err := one(c.ours, "delete", "all", "-f")
	if err != nil {
		return nil, err
	}
	if oursLeft != 0 {
		return nil, fmt.Errorf("delete all leaves %d jobs", oursLeft)
	}
	theirs, theirsLeft, err := one(c.theirs, "runtime", "delete", "all")
	if err != nil {
		return nil, err
	}
	return []row{{Work: "Code Engine: delete all, 90 runtimes, per runtime deleted", Ours: ours.took / n, Theirs: theirs.took / time.Duration(max(1, n-theirsLeft)),
		Who: "lithops runtime delete", Note: fmt.Sprintf("%s in total, none left; theirs %s, %d left", round(ours.took), round(theirs.took), theirsLeft)}}, nil
}

// measureClean measures the deletion of 90 config maps and 90 job runs of interrupted jobs.
func (c *cloudEngine) measureClean(ctx context.Context) ([]row, error) {
	const n = 90
	one := func(program func(context.Context, ...string) (cost, error), args ...string) (done cost, maps, runs int, err error) {
		if err = c.addLeftovers(ctx, n); err != nil {
			return
		}
		if done, err = program(ctx, args...); err != nil {
			return
		}
		if maps, err = c.count(ctx, "config_maps"); err != nil {
			return
		}
		runs, err = c.count(ctx, "job_runs")
		return
	}
	ours, maps, runs, err := one(c.ours, "clean", "-f")
	if err != nil {
		return nil, err
	}
	if maps+runs != 0 {
		return nil, fmt.Errorf("clean leaves %d config maps and %d job runs", maps, runs)
	}
	theirs, maps, runs, err := one(c.theirs, "clean")
	if err != nil {
		return nil, err
	}
	return []row{{Work: "Code Engine: clean, 90 config maps and 90 job runs", Ours: ours.took, Theirs: theirs.took, Who: "lithops clean",
		Note: fmt.Sprintf("%d requests, none left; theirs %d, %d config maps and %d job runs left", ours.requests, theirs.requests, maps, runs)}}, nil
}

// fillProject makes the project contain exactly the runtimes of the given images in the given memory sizes, as the
// plug-in deploys them.
func (c *cloudEngine) fillProject(ctx context.Context, images int, memory string) error {
	if err := c.deleteAll(ctx); err != nil {
		return err
	}
	c.delay(0)
	defer c.delay(requestDelay)
	for i := range images {
		if _, err := c.ours(ctx, "deploy", fmt.Sprintf("%s-%d:1", jobsImage, i), "-m", memory); err != nil {
			return err
		}
	}
	return nil
}

// addLeftovers creates n config maps and n finished job runs of jobs.
func (c *cloudEngine) addLeftovers(ctx context.Context, n int) error {
	if err := c.fillProject(ctx, 1, "256"); err != nil {
		return err
	}
	c.delay(0)
	defer c.delay(requestDelay)
	numbers := make([]int, n-1) // in addition to the code's config map
	for i := range numbers {
		numbers[i] = i
	}
	var all struct{ Jobs []struct{ Name string } }
	if err := c.call(ctx, http.MethodGet, "jobs", nil, &all); err != nil || len(all.Jobs) != 1 {
		return fmt.Errorf("%d jobs: %w", len(all.Jobs), err)
	}
	return parallel(ctx, 8, numbers, func(ctx context.Context, i int) error {
		name := fmt.Sprintf("lithops-left-%d", i)
		if err := c.call(ctx, http.MethodPost, "config_maps", map[string]any{"name": name, "data": map[string]string{"lithops.payload": "e30="}}, nil); err != nil {
			return err
		}
		return c.call(ctx, http.MethodPost, "job_runs", map[string]any{"name": name, "job_name": all.Jobs[0].Name,
			"run_commands": []string{"/usr/local/bin/python"}, "run_arguments": []string{"-c", "pass"}}, nil)
	})
}

// deleteAll deletes everything in the project.
func (c *cloudEngine) deleteAll(ctx context.Context) error {
	c.delay(0)
	defer c.delay(requestDelay)
	_, err := c.ours(ctx, "clean", "-f")
	return err
}

func (c *cloudEngine) count(ctx context.Context, kind string) (int, error) {
	var all map[string]json.RawMessage
	if err := c.call(ctx, http.MethodGet, kind, nil, &all); err != nil {
		return 0, err
	}
	var list []json.RawMessage
	err := json.Unmarshal(all[kind], &list)
	return len(list), err
}

// call sends a request to the project.
func (c *cloudEngine) call(ctx context.Context, method, path string, body, into any) error {
	if c.project == "" && path != "projects" {
		var all struct{ Projects []struct{ ID string } }
		if err := c.call(ctx, method, "projects", nil, &all); err != nil || len(all.Projects) != 1 {
			return fmt.Errorf("%d projects: %w", len(all.Projects), err)
		}
		c.project = all.Projects[0].ID
	}
	if path != "projects" {
		path = "projects/" + c.project + "/" + path
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+jobsHost+"/v2/"+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.tunnels.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// jobsHost is the host of the region that all benchmarks use.
const jobsHost = "api.us-south.codeengine.cloud.ibm.com"

// newCloudEngine starts an endpoint and the proxy in front of it. The close method stops both.
func newCloudEngine(ctx context.Context, b *bench) (c *cloudEngine, err error) {
	a := &account{b: b}
	if a.venv, err = b.environment(ctx, "venv-bench-jobs", "lithops", "boto3", "ibm-code-engine-sdk", "ibm-cos-sdk", "ibm-cloud-sdk-core", "ibm-vpc", "flask", "pika", "gevent"); err != nil {
		return nil, err
	}
	if err := a.start(ctx); err != nil {
		return nil, err
	}
	c = &cloudEngine{account: a}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	var info struct {
		Token  string
		Port   int    `json:"proxy_port"`
		Secret string `json:"proxy_secret"`
		Bundle string `json:"cloud_bundle"`
	}
	if err := a.read("endpoint.json", &info); err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(a.dir(), "cloud-server.pem"), filepath.Join(a.dir(), "cloud-server-key.pem"))
	if err != nil {
		return nil, err
	}
	c.token = info.Token
	a.info.CABundle = info.Bundle
	if c.tunnels, err = newTunnelProxy(fmt.Sprintf("http://fn-runtime:%s@127.0.0.1:%d", info.Secret, info.Port), cert); err != nil {
		return nil, err
	}
	a.compute, a.extra = c.tunnels.Proxy, []string{"HTTPS_PROXY=http://" + c.tunnels.door.Addr().String(), "NO_PROXY=127.0.0.1,localhost"}
	a.backend = "code_engine"
	text := fmt.Sprintf(`lithops: {backend: code_engine, storage: minio, log_level: ERROR}
ibm: {iam_api_key: %q, resource_group_id: local, region: us-south}
code_engine: {runtime: %q}
minio: {endpoint: %q, access_key_id: %q, secret_access_key: %q, storage_bucket: %q}
`, a.info.APIKey, jobsImage+"-0:1", a.objects.URL, a.info.AccessKey, a.info.SecretKey, a.info.Bucket)
	if err := os.WriteFile(a.config(), []byte(text), 0o600); err != nil {
		return nil, err
	}
	c.delay(requestDelay)
	return c, nil
}

func (c *cloudEngine) close() {
	c.account.close()
	if c.tunnels != nil {
		c.tunnels.close()
	}
}
