package codeengine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// fakeInvoker runs instances. It waits for release, if set, and then returns the exit status exit(index, attempt).
type fakeInvoker struct {
	release chan struct{}
	exit    func(index, attempt string) int // nil: exit status 0
	mu      sync.Mutex
	seen    []arguments
}

type arguments struct {
	Command []string          `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
	Mounts  []string          `json:"mounts"`
	python  string
}

func (s *fakeInvoker) Close(context.Context) error { return nil }

func (s *fakeInvoker) Run(ctx context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	var a arguments
	if err := json.Unmarshal(inv.Args, &a); err != nil {
		return invoke.Outcome{}, err
	}
	a.python = inv.Python
	inv.Started()
	s.mu.Lock()
	s.seen = append(s.seen, a)
	s.mu.Unlock()
	if s.release != nil {
		select {
		case <-s.release:
		case <-ctx.Done():
			return invoke.Outcome{}, ctx.Err()
		}
	}
	exit := 0
	if s.exit != nil {
		exit = s.exit(a.Env["JOB_INDEX"], a.Env["JOB_INDEX_RETRY_COUNT"])
	}
	return invoke.Outcome{Status: invoke.Success, Result: json.RawMessage(fmt.Sprintf(`{"exit":%d}`, exit)), InitMS: 1, RunMS: 1}, nil
}

type fixture struct {
	*testing.T
	api     *API
	db      *state.DB
	invoker *fakeInvoker
	project string
}

const (
	testHost = "api.eu-de.codeengine.cloud.ibm.com"
	testKey  = "23bc46b1:secretkey"
)

func newFixture(t *testing.T, s *fakeInvoker) *fixture {
	t.Helper()
	db, err := state.Open(t.TempDir(), state.Limits{FreeBytes: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	api, err := New(Config{DB: db, Invoker: s, APIKey: testKey, Token: "token", Python: "python3"})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, api: api, db: db, invoker: s}
	t.Cleanup(func() {
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		api.Close(canceled)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f.project = f.want(202, "POST", "/v2/projects", `{"name":"lithops","resource_group_id":"g"}`)["id"].(string)
	return f
}

// send sends a request. A path without a leading slash is relative to the project.
func (f *fixture) send(method, path, body string, header ...string) *httptest.ResponseRecorder {
	f.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/v2/projects/" + f.project + "/" + path
	}
	r := httptest.NewRequest(method, "https://"+testHost+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	return w
}

// want sends a request, checks the status code, and returns the document of the response.
func (f *fixture) want(status int, method, path, body string, header ...string) map[string]any {
	f.Helper()
	w := f.send(method, path, body, header...)
	if w.Code != status {
		f.Fatalf("%s %s %s: %d %s, want %d", method, path, body, w.Code, w.Body, status)
	}
	var doc map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			f.Fatal(err)
		}
	}
	return doc
}

func job(name, more string) string {
	return `{"name":"` + name + `","image_reference":"docker.io/me/image:1","scale_cpu_limit":"0.125","scale_memory_limit":"0.25G"` + more + `}`
}

// Every error has the expected status and code, and an error document of the API.
func TestErrorResponses(t *testing.T) {
	f := newFixture(t, &fakeInvoker{})
	f.want(201, "POST", "jobs", job("there", ""))
	f.want(201, "POST", "config_maps", `{"name":"there","data":{"a":"b"}}`)
	f.want(201, "POST", "secrets", `{"name":"there","format":"registry","data":{"password":"x"}}`)
	long := strings.Repeat("x", 11<<10)
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		{"GET", "/v2/nothing", "", nil, 404, "resource_not_found"},
		{"PUT", "/v2/projects", "", nil, 405, "method_not_allowed"},
		{"GET", "/v2/projects", "", []string{"Authorization", "Bearer wrong"}, 401, "unauthorized"},
		{"GET", "/v2/projects", "", []string{"Authorization", "Basic token"}, 401, "unauthorized"},
		{"GET", "/v2/projects/unknown", "", nil, 404, "resource_not_found"},
		{"GET", "/v2/projects/unknown/jobs", "", nil, 404, "resource_not_found"},
		{"POST", "/v2/projects", `{"name":"lithops"}`, nil, 409, "project_name_already_exists"},
		{"POST", "/v2/projects", `{"name":"a/b"}`, nil, 400, "invalid_request"},
		{"POST", "/v2/projects", `{`, nil, 400, "invalid_request"},
		{"GET", "jobs?limit=0", "", nil, 400, "invalid_request"},
		{"GET", "jobs/missing", "", nil, 404, "resource_not_found"},
		{"DELETE", "jobs/missing", "", nil, 404, "resource_not_found"},
		{"POST", "jobs", job("there", ""), nil, 409, "resource_already_exists"},
		{"POST", "jobs", job("Upper", ""), nil, 400, "invalid_request"},
		{"POST", "jobs", job(strings.Repeat("a", 64), ""), nil, 400, "invalid_request"},
		{"POST", "jobs", `{"name":"a"}`, nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"image_reference":"UPPER"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_memory_limit":"2G"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_memory_limit":"256M"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_cpu_limit":"much"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_array_spec":"0-1000"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_array_spec":"1,1"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_array_spec":"10000000"`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_retry_limit":6`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"scale_max_execution_time":86401`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"run_arguments":["`+long+`"]`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"run_env_variables":[{"type":"magic","name":"a"}]`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"run_env_variables":[{"type":"config_map_key_reference","name":"a"}]`), nil, 400, "invalid_request"},
		{"POST", "jobs", job("a", `,"run_volume_mounts":[{"type":"config_map","reference":"a","mount_path":"../x"}]`), nil, 400, "invalid_request"},
		{"PATCH", "jobs/missing", `{}`, nil, 404, "resource_not_found"},
		{"PATCH", "jobs/there", `{}`, []string{"If-Match", "old"}, 412, "entity_tag_mismatch"},
		{"PATCH", "jobs/there", `{"scale_memory_limit":"8G"}`, nil, 400, "invalid_request"},
		{"POST", "config_maps", `{"name":"there"}`, nil, 409, "resource_already_exists"},
		{"POST", "config_maps", `{"name":"a","data":{"no/path":"x"}}`, nil, 400, "invalid_request"},
		{"POST", "config_maps", `{"name":"a","data":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, nil, 400, "invalid_request"},
		{"PUT", "config_maps/there", `{"data":{}}`, nil, 400, "invalid_request"},
		{"PUT", "config_maps/there", `{"data":{}}`, []string{"If-Match", "old"}, 412, "entity_tag_mismatch"},
		{"PUT", "config_maps/missing", `{"data":{}}`, []string{"If-Match", "*"}, 404, "resource_not_found"},
		{"POST", "config_maps", strings.Repeat(" ", maxBody+1), nil, 413, "request_too_large"},
		{"POST", "secrets", `{"name":"a","format":"magic","data":{}}`, nil, 400, "invalid_request"},
		{"PUT", "secrets/there", `{"format":"generic","data":{}}`, []string{"If-Match", "*"}, 400, "invalid_request"},
		{"POST", "job_runs", `{"job_name":"missing"}`, nil, 404, "resource_not_found"},
		{"POST", "job_runs", `{"job_name":"there","name":"` + strings.Repeat("a", 54) + `"}`, nil, 400, "invalid_request"},
		{"POST", "job_runs", `{"name":"a"}`, nil, 400, "invalid_request"},
		{"GET", "job_runs/missing", "", nil, 404, "resource_not_found"},
		{"DELETE", "job_runs/missing", "", nil, 404, "resource_not_found"},
	} {
		w := f.send(c.method, c.path, c.body, c.header...)
		var doc struct {
			Errors []struct{ Code, Message string }
			Trace  string
			Status int `json:"status_code"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || len(doc.Errors) != 1 {
			t.Errorf("%s %s: %d %s, want one error", c.method, c.path, w.Code, w.Body)
			continue
		}
		if w.Code != c.status || doc.Status != c.status || doc.Errors[0].Code != c.code || doc.Errors[0].Message == "" || !strings.HasPrefix(doc.Trace, "codeengine-api-") {
			t.Errorf("%s %s %.80s: %d %s, want %d %s", c.method, c.path, c.body, w.Code, w.Body, c.status, c.code)
		}
	}
}

func TestTokenCall(t *testing.T) {
	f := newFixture(t, &fakeInvoker{})
	ask := func(form url.Values) (int, map[string]any) {
		r := httptest.NewRequest("POST", "https://"+IAMHost+"/identity/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		f.api.ServeHTTP(w, r)
		var doc map[string]any
		_ = json.Unmarshal(w.Body.Bytes(), &doc)
		return w.Code, doc
	}
	grant := "urn:ibm:params:oauth:grant-type:apikey"
	if code, doc := ask(url.Values{"grant_type": {grant}, "apikey": {"another"}}); code != 400 || doc["errorCode"] != "BXNIM0415E" {
		t.Errorf("an unknown key: %d %v", code, doc)
	}
	code, doc := ask(url.Values{"grant_type": {grant}, "apikey": {testKey}})
	if code != 200 {
		t.Fatalf("the valid key: %d %v", code, doc)
	}
	token := "Bearer " + doc["access_token"].(string)
	f.want(200, "GET", "/v2/projects", "", "Authorization", token)
	f.want(401, "GET", "/v2/projects", "", "Authorization", token[:len(token)-2]+"AA")
	f.api.api.Now = func() time.Time { return time.Now().Add(2 * tokenLifetime) }
	f.want(401, "GET", "/v2/projects", "", "Authorization", token)
}

// A deleted project keeps its name for a week, and counts towards the quota.
func TestProjectsAreSoftDeleted(t *testing.T) {
	f := newFixture(t, &fakeInvoker{})
	f.want(202, "DELETE", "/v2/projects/"+f.project, "")
	f.want(404, "GET", "/v2/projects/"+f.project, "")
	doc := f.want(409, "POST", "/v2/projects", `{"name":"lithops"}`)
	if !strings.Contains(fmt.Sprint(doc["errors"]), "soft-deleted") { // the client searches for this word
		t.Errorf("the error does not contain the reason: %v", doc)
	}
	for i := range maxProjects - 1 {
		f.want(202, "POST", "/v2/projects", fmt.Sprintf(`{"name":"p%d"}`, i))
	}
	f.want(403, "POST", "/v2/projects", `{"name":"one too many"}`)
}

func TestPagesAndQuotas(t *testing.T) {
	f := newFixture(t, &fakeInvoker{})
	for i := range 100 {
		f.want(201, "POST", "config_maps", fmt.Sprintf(`{"name":"m%03d","data":{}}`, i))
	}
	f.want(403, "POST", "config_maps", `{"name":"more","data":{}}`)
	names, start, pages := []string{}, "", 0
	for {
		doc := f.want(200, "GET", "config_maps?limit=30&start="+start, "")
		for _, m := range doc["config_maps"].([]any) {
			names = append(names, m.(map[string]any)["name"].(string))
		}
		pages++
		next, more := doc["next"].(map[string]any)
		if !more {
			break
		}
		start = next["start"].(string)
	}
	if len(names) != 100 || names[0] != "m000" || names[99] != "m099" || pages != 4 {
		t.Errorf("%d names on %d pages: %v", len(names), pages, names)
	}
}

// A PATCH changes only the given fields, and a changed job has a new entity tag.
func TestPatchAndReplace(t *testing.T) {
	f := newFixture(t, &fakeInvoker{})
	old := f.want(201, "POST", "jobs", job("j", `,"scale_retry_limit":1`))
	now := f.want(200, "PATCH", "jobs/j", `{"scale_memory_limit":"0.5G","scale_retry_limit":null}`, "If-Match", old["entity_tag"].(string))
	want := old
	want["scale_memory_limit"], want["scale_retry_limit"], want["entity_tag"] = "0.5G", 3.0, now["entity_tag"]
	if diff := cmp.Diff(want, now); diff != "" {
		t.Errorf("the job after a patch (-want +got):\n%s", diff)
	}
	m := f.want(201, "POST", "config_maps", `{"name":"m","data":{"a":"1"}}`)
	f.want(200, "PUT", "config_maps/m", `{"data":{"b":"2"}}`, "If-Match", m["entity_tag"].(string))
	f.want(412, "PUT", "config_maps/m", `{"data":{"b":"3"}}`, "If-Match", m["entity_tag"].(string))
	if got := f.want(200, "GET", "config_maps/m", ""); !cmp.Equal(got["data"], any(map[string]any{"b": "2"})) {
		t.Errorf("the config map has %v", got["data"])
	}
	f.want(201, "POST", "secrets", `{"name":"s","format":"registry","data":{"password":"hidden"}}`)
	if text := f.send("GET", "secrets/s", "").Body.String(); strings.Contains(text, "hidden") {
		t.Errorf("the response contains the secret: %s", text)
	}
}

func TestMemoryMBAndIndices(t *testing.T) {
	for _, c := range []struct {
		cpu, memory string
		mb          int
	}{
		{"0.125", "0.25G", 238}, {"125m", "250M", 238}, {"0.125", "0.5G", 476}, {"1", "4G", 3814}, {"12", "48G", 45776},
		{"0.125", "2G", 0}, {"1", "16G", 0}, {"3", "6G", 0}, {"", "4G", 0}, {"1", "NaN", 0}, {"1", "4", 0}, {"1e9", "4G", 0},
	} {
		if mb, err := memoryMB(c.cpu, c.memory); mb != c.mb || (err == nil) != (c.mb > 0) {
			t.Errorf("memoryMB(%q, %q) = %d, %v; want %d", c.cpu, c.memory, mb, err, c.mb)
		}
	}
	for _, text := range []string{"0", "0-2", "1,5-7", "999999,9999999"} {
		list, err := parseIndices(text)
		if err != nil || formatIndices(list) != text {
			t.Errorf("indices(%q) = %v, %v", text, list, err)
		}
	}
	for _, text := range []string{"", "-", "2-1", "-1", "a", "0-4294967296", "1,", "0x1"} {
		if list, err := parseIndices(text); err == nil {
			t.Errorf("indices(%q) = %v, want an error", text, list)
		}
	}
}

func TestImageReferences(t *testing.T) {
	for name, want := range map[string]bool{
		"docker.io/me1/image:1": true, "me1/image": true, "us.icr.io/ns/image@sha256:" + strings.Repeat("a", 64): true, "127.0.0.1:5000/lithops/image:1": true,
		"evil.example:5000/lithops/image:1": false, "Me/image": false, "": false, "a b": false,
	} {
		if got := imageReference.MatchString(name); got != want {
			t.Errorf("%q matches: %v, want %v", name, got, want)
		}
	}
}
