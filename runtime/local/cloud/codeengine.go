package cloud

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local/internal/codeengine"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// The host name of the Code Engine API, which clients do not allow to be changed, and the project of every cloud.
const (
	jobsHost  = "api." + jobsRegion + ".codeengine.cloud.ibm.com"
	projectID = "66666666-7777-4888-9999-000000000000"

	jobsRegion  = "us-south"
	projectName = "lithops-" + jobsRegion + "-abcd"
)

// openJobs creates the project and returns the Code Engine API.
func (c *Cloud) openJobs() (http.Handler, error) {
	err := c.DB.CreateProject(state.Project{ID: projectID, Name: projectName, Region: jobsRegion, Created: time.Now().UnixMilli()},
		func([]state.Project) error { return nil })
	if err != nil {
		return nil, err
	}
	api, err := codeengine.New(codeengine.Config{DB: c.DB, Invoker: jobWorker{c}, APIKey: IAMKey, Token: Token})
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		api.Close(ctx)
	})
	return api, nil
}

// jobWorker runs the jobs of a cloud. Each job writes the metadata of its runtime to the bucket, as the Lithops worker
// does.
type jobWorker struct{ *Cloud }

func (jobWorker) Close(context.Context) error { return nil }

func (w jobWorker) Run(ctx context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	var args struct{ Env map[string]string }
	if err := json.Unmarshal(inv.Args, &args); err != nil {
		return invoke.Outcome{}, err
	}
	var payload struct {
		Name string `json:"runtime_name"`
	}
	data, err := base64.StdEncoding.DecodeString(args.Env["PAYLOAD"])
	if err == nil {
		err = json.Unmarshal(data, &payload)
	}
	if err != nil {
		return invoke.Outcome{}, err
	}
	out, err := worker(w).Run(ctx, inv)
	if err != nil {
		return out, err
	}
	_, err = w.DB.Put(Bucket, Object{Key: lithops.JobMetadataKey(payload.Name)}, strings.NewReader(string(out.Result)), int64(len(out.Result)),
		func(_, _ *Object) error { return nil })
	out.Result = json.RawMessage(`{"exit": 0}`)
	if errors.Is(err, state.ErrNotFound) { // as a worker whose bucket does not exist
		out.Result, err = json.RawMessage(`{"exit": 1}`), nil
	}
	return out, err
}

// tunnel returns an HTTPS proxy. It accepts CONNECT requests for the host of Code Engine, which it connects to the
// service's proxy, and rejects all other requests.
func (c *Cloud) tunnel() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != jobsHost+":443" {
			http.Error(w, "outside", http.StatusForbidden)
			return
		}
		server, err := net.Dial("tcp", c.Host(CodeEngine))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			return
		}
		done := make(chan struct{}, 2)
		for _, pair := range [][2]net.Conn{{server, client}, {client, server}} {
			go func() {
				_, _ = io.Copy(pair[0], pair[1])
				done <- struct{}{}
			}()
		}
		<-done
		_, _ = server.Close(), client.Close()
		<-done
	}))
}

// randomName matches the names of job runs for metadata and of their config maps.
var randomName = regexp.MustCompile(`fn-runtime-meta-[0-9a-f]{8}-[0-9a-z]+-[a-z2-7]{12}`)

// jobLines describes the additional projects and the resources of all projects for State. Config maps with code that no
// job uses are marked as "unused".
func (c *Cloud) jobLines() (lines []string, err error) {
	err = c.eachProject(func(p state.Project) error {
		if p.ID != projectID {
			lines = append(lines, "project "+p.Name)
		}
		var jobs strings.Builder
		for _, kind := range []string{"jobs", "job_runs", "config_maps", "secrets"} {
			all, err := c.DB.Resources(p.ID, kind)
			if err != nil {
				return err
			}
			for _, r := range all {
				line := fmt.Sprintf("%s %s %s", strings.TrimSuffix(kind, "s"), r.Name, c.digest(r.Doc))
				switch {
				case kind == "jobs":
					jobs.Write(r.Doc)
				case strings.HasPrefix(r.Name, "fn-runtime-") && !randomName.MatchString(r.Name) && !strings.Contains(jobs.String(), strconv.Quote(r.Name)):
					line = "unused " + line
				}
				lines = append(lines, line)
			}
		}
		return nil
	})
	return lines, err
}

// eachProject calls work for every project that is not deleted.
func (c *Cloud) eachProject(work func(state.Project) error) error {
	all, err := c.DB.Projects()
	for _, p := range all {
		if err == nil && p.Deleted == 0 {
			err = work(p)
		}
	}
	return err
}

// jobKeys returns the keys of the metadata objects that belong to jobs.
func (c *Cloud) jobKeys() (map[string]bool, error) {
	keys := map[string]bool{}
	err := c.eachProject(func(p state.Project) error {
		jobs, err := c.DB.Resources(p.ID, "jobs")
		for _, r := range jobs {
			var job struct {
				Image string `json:"image_reference"`
			}
			if err := json.Unmarshal(r.Doc, &job); err != nil {
				return err
			}
			key, _, _ := lithops.ParseJob(r.Name)
			contract := lithops.Contract{Backend: lithops.CodeEngine, Version: "3.7.0", UserKey: key, Region: p.Region, Namespace: p.ID}
			_, metadata := contract.Runtime(job.Image, 256)
			keys[metadata] = true
		}
		return err
	})
	return keys, err
}
