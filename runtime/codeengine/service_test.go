package codeengine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// fakeService is an in-memory Code Engine with one region. It implements http.RoundTripper.
type fakeService struct {
	mu        sync.Mutex
	projects  []projectDoc
	resources map[string]map[string]map[string]any // documents by kind and name
	log       []string                             // requests
	bodies    []string
	perPage   int // items per page; 0 for all
	tags      int

	// intercept may return a response instead of the service. A status of 0 passes the request to the service.
	intercept func(r *http.Request) (status int, body string)
	normalize func(doc map[string]any) // changes stored documents; may be nil
	// onRun sets the state of a new run. If nil, the run is completed immediately and its metadata is in the bucket.
	onRun   func(run map[string]any)
	objects map[string]string // content of the bucket
}

func newFakeService() *fakeService {
	return &fakeService{
		projects: []projectDoc{{ID: "id-1", Name: "lithops-eu-de-abcd", Status: active}}, objects: map[string]string{},
		resources: map[string]map[string]map[string]any{"jobs": {}, "job_runs": {}, "config_maps": {}, "secrets": {}},
	}
}

// bucket is the bucket for the metadata of runs.
type bucket struct{ *fakeService }

func (b bucket) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if data, ok := b.objects[key]; ok {
		return []byte(data), nil
	}
	return nil, fault.New(fault.NotFound, i18n.M("There is no such object."), i18n.Message{})
}

func (b bucket) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	return nil
}

func (s *fakeService) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, context.Cause(r.Context())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	body := ""
	if r.Body != nil {
		data, _ := io.ReadAll(r.Body)
		body = string(data)
	}
	s.log = append(s.log, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v2/projects"))
	s.bodies = append(s.bodies, body)
	w := httptest.NewRecorder()
	if s.intercept != nil {
		if status, text := s.intercept(r); status != 0 {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
			return w.Result(), nil
		}
	}
	status, doc := s.respond(r, body)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc)
	return w.Result(), nil
}

func errorBody(code, message string) string {
	return fmt.Sprintf(`{"errors":[{"code":%q,"message":%q}],"trace":"codeengine-api-1234"}`, code, message)
}

func errorResponse(status int, message string) (int, any) {
	return status, json.RawMessage(errorBody("code", message))
}

func (s *fakeService) respond(r *http.Request, body string) (int, any) {
	if r.URL.Query().Get("version") != "2025-07-10" {
		return errorResponse(400, "The version is missing.")
	}
	var doc map[string]any
	if body != "" && json.Unmarshal([]byte(body), &doc) != nil {
		return errorResponse(400, "The body is no JSON.")
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v2/projects"), "/")[1:]
	switch {
	case len(parts) == 0 && r.Method == "GET":
		return page(s, r, "projects", s.projects, func(p projectDoc) string { return p.ID })
	case len(parts) == 0:
		p := projectDoc{ID: fmt.Sprintf("id-%d", len(s.projects)+1), Name: doc["name"].(string), Status: creating}
		s.projects = append(s.projects, p)
		return 202, p
	}
	i := slices.IndexFunc(s.projects, func(p projectDoc) bool { return p.ID == parts[0] })
	switch {
	case i < 0:
		return errorResponse(404, "The project does not exist.")
	case len(parts) == 1 && r.Method == "DELETE":
		s.projects = slices.Delete(s.projects, i, i+1)
		return 202, nil
	case len(parts) == 1:
		return 200, s.projects[i]
	}
	all := s.resources[parts[1]]
	if len(parts) == 2 && r.Method == "GET" {
		var list []map[string]any
		for _, d := range all {
			if job := r.URL.Query().Get("job_name"); job == "" || d["job_name"] == job {
				list = append(list, d)
			}
		}
		slices.SortFunc(list, func(a, b map[string]any) int { return cmp.Compare(a["name"].(string), b["name"].(string)) })
		return page(s, r, parts[1], list, func(d map[string]any) string { return d["name"].(string) })
	}
	if len(parts) == 2 {
		return s.create(parts[1], doc)
	}
	current, exists := all[parts[2]]
	ifMatch := r.Header.Get("If-Match")
	switch {
	case !exists:
		return errorResponse(404, "Resource not found.")
	case r.Method == "GET":
		return 200, current
	case r.Method == "DELETE":
		delete(all, parts[2])
		return 202, nil
	case ifMatch != "*" && ifMatch != current["entity_tag"]:
		return errorResponse(412, "It has been changed.")
	}
	maps.Copy(current, doc)
	s.tag(current)
	return 200, current
}

func (s *fakeService) create(kind string, doc map[string]any) (int, any) {
	name := doc["name"].(string)
	if _, exists := s.resources[kind][name]; exists {
		return errorResponse(409, "A resource of that name already exists.")
	}
	if len(s.resources[kind]) >= quota {
		return errorResponse(403, "The quota of 100 is exceeded.")
	}
	if doc["created_at"] = time.Now().UTC().Format(time.RFC3339); kind == "job_runs" {
		job := s.resources["jobs"][doc["job_name"].(string)]
		if job == nil {
			return errorResponse(404, "The job does not exist.")
		}
		doc["image_reference"], doc["scale_memory_limit"], doc["scale_cpu_limit"] = job["image_reference"], job["scale_memory_limit"], job["scale_cpu_limit"]
		doc["run_volume_mounts"] = job["run_volume_mounts"]
		if s.onRun != nil {
			s.onRun(doc)
		} else {
			doc["status"] = "completed"
			s.objects["lithops.jobs/"+name+".meta"] = `{"preinstalls": [], "python_version": "3.11"}`
		}
	}
	s.tag(doc)
	s.resources[kind][name] = doc
	return 201, doc
}

func (s *fakeService) tag(doc map[string]any) {
	if s.normalize != nil {
		s.normalize(doc)
	}
	s.tags++
	doc["entity_tag"] = fmt.Sprint(s.tags)
}

func page[T any](s *fakeService, r *http.Request, plural string, list []T, name func(T) string) (int, any) {
	start := r.URL.Query().Get("start")
	for len(list) > 0 && name(list[0]) <= start && start != "" {
		list = list[1:]
	}
	doc := map[string]any{}
	if s.perPage > 0 && len(list) > s.perPage {
		list = list[:s.perPage]
		doc["next"] = map[string]string{"start": name(list[len(list)-1])}
	}
	if list == nil {
		list = []T{}
	}
	doc[plural] = list
	return 200, doc
}

func (s *fakeService) names(kind string) (names []string) {
	for name := range s.resources[kind] {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// newCompute returns a Compute that uses s.
func newCompute(s *fakeService, change ...func(*Options, *ComputeOptions)) *Compute {
	o := Options{Endpoint: "https://api.eu-de.codeengine.cloud.ibm.com", Transport: s, Project: Project{
		Scope: entity.Scope{Name: "lithops-eu-de-abcd"}, ResourceGroup: func(context.Context) (string, error) { return "group", nil }}}
	co := ComputeOptions{
		Contract: lithops.Contract{Backend: lithops.CodeEngine, Version: "3.8.0", UserKey: "abcd", Region: "eu-de"},
		Limits:   lithops.LimitsOf(lithops.CodeEngine), Namespace: func(id string) string { return id }, Bucket: bucket{s},
		Payload: func(name string) (string, error) { return "payload of " + name, nil },
	}
	for _, f := range change {
		f(&o, &co)
	}
	return NewCompute(New(o), co)
}

const image = "docker.io/me/image:1"

var code = lithops.Bundle{Base64: "Y29kZQ==", SHA256: "0123456789abcdef"}

// runtimeOf returns a new runtime for registration with mb of memory.
func runtimeOf(c *Compute, mb int) entity.Registered {
	id, _ := c.contract().Runtime(image, mb)
	return entity.Registered{ID: id, Reference: image, MemoryMB: mb, MilliCPU: 125, TimeoutMS: 600_000,
		Notes: map[string]any{entity.NoteImage: image, entity.NoteBundle: code.SHA256}}
}

func register(t *testing.T, c *Compute, r entity.Registered) entity.Registered {
	t.Helper()
	got, err := c.Register(t.Context(), r, code)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
