package codeengine

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// The job of an image that contains the code is identical to the job of the Lithops client, except for the notes.
func TestJobMatchesTheClient(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	r := runtimeOf(c, 256)
	r.Notes[entity.NoteCode] = entity.CodeInImage
	register(t, c, r)
	var got map[string]any
	if err := json.Unmarshal([]byte(s.bodies[len(s.bodies)-1]), &got); err != nil {
		t.Fatal(err)
	}
	env := got["run_env_variables"].([]any)
	notes := env[len(env)-1].(map[string]any)
	if notes["name"] != "FN_RUNTIME" || !strings.Contains(notes["value"].(string), code.SHA256) {
		t.Errorf("notes: %v", notes)
	}
	got["run_env_variables"] = env[:len(env)-1]
	want := map[string]any{}
	_ = json.Unmarshal([]byte(`{"image_reference":"docker.io/me/image:1","name":"`+r.ID.Name+`","run_commands":["/usr/local/bin/python"],"run_arguments":["/lithops/lithopsentry.py"],
		"run_env_variables":[{"name":"ACTION","type":"literal","value":"run"},{"name":"LITHOPS_RUNTIME_TYPE","type":"literal","value":"lithops-runtime"},
		{"name":"LITHOPS_VERSION","type":"literal","value":"3.8.0"}],"run_mode":"task","scale_array_spec":"0","scale_cpu_limit":"0.125",
		"scale_max_execution_time":600,"scale_memory_limit":"0.25G","scale_retry_limit":3}`), &want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the job differs from the client's (-want +got):\n%s", d)
	}
	if maps := s.names("config_maps"); len(maps) != 0 {
		t.Errorf("unexpected config maps: %q", maps)
	}
}

// A registered runtime is read back unchanged.
func TestRegisteredRuntimeIsReadBack(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	for _, mb := range []int{256, 512} {
		r := runtimeOf(c, mb)
		r.Notes[entity.NotePrevious] = "sha256:1"
		got := register(t, c, r)
		if was := got.Note(entity.NotePrevious); was != "sha256:1" {
			t.Errorf("previous image %q, want sha256:1", was)
		}
		if !got.Unmodified() || got.NamedMB != mb || got.MemoryMB != mb || got.MilliCPU != 125 || !got.Own || got.Version != "3.8.0" || got.Reference != image {
			t.Errorf("registered with %d MB, got %+v", mb, got)
		}
	}
	list, err := c.Runtimes(t.Context())
	if err != nil || len(list.Runtimes) != 2 || list.Runtimes[0].MetadataKey != list.Runtimes[1].MetadataKey {
		t.Errorf("got %+v, %v; want two runtimes with the same metadata key", list.Runtimes, err)
	}
	if want := "lithops.runtimes/code_engine/3.8.0/eu-de/id-1/"; !strings.HasPrefix(list.Runtimes[0].MetadataKey, want) {
		t.Errorf("the key is %s, want the prefix %s", list.Runtimes[0].MetadataKey, want)
	}
	maps := 0
	for _, line := range s.log {
		if line == "POST /id-1/config_maps" {
			maps++
		}
	}
	if maps != 1 {
		t.Errorf("the code was sent %d times, want 1", maps)
	}
}

// An existing job is updated, not replaced, and keeps the variables of other tools.
func TestRegisterUpdatesInPlace(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	first := register(t, c, runtimeOf(c, 256))
	job := s.resources["jobs"][first.ID.Name]
	job["run_env_variables"] = append(job["run_env_variables"].([]any), map[string]any{"type": "literal", "name": "THEIRS", "value": "kept"})
	s.log = nil
	next := runtimeOf(c, 256)
	next.Revision, next.TimeoutMS = first.Revision, 60_000
	got := register(t, c, next)
	if d := cmp.Diff([]string{"GET /id-1/jobs/" + first.ID.Name, "PATCH /id-1/jobs/" + first.ID.Name}, s.log); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	if got.TimeoutMS != 60_000 || got.Note("THEIRS") != "kept" || !got.Unmodified() {
		t.Errorf("got %+v", got)
	}
}

// If another client creates, deletes or updates the job concurrently, Register still results in the requested job.
func TestRegisterWithConcurrentChanges(t *testing.T) {
	for name, x := range map[string]struct {
		registered bool // the caller knows the job
		intercept  func(s *fakeService, name string, request string) (int, string)
	}{
		"created by another client": {false, func(s *fakeService, name, request string) (int, string) {
			if request == "POST /id-1/jobs" && s.resources["jobs"][name] == nil {
				s.resources["jobs"][name] = map[string]any{"name": name, "image_reference": "another/image", "entity_tag": "9"}
			}
			return 0, ""
		}},
		"deleted by another client": {true, func(s *fakeService, name, request string) (int, string) {
			if strings.HasPrefix(request, "PATCH") {
				delete(s.resources["jobs"], name)
			}
			return 0, ""
		}},
		"updated by another client": {true, func(s *fakeService, name, request string) (int, string) {
			if strings.HasPrefix(request, "PATCH") && s.tags < 50 {
				s.tags = 50
				s.tag(s.resources["jobs"][name])
			}
			return 0, ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFakeService()
			c := newCompute(s)
			r := runtimeOf(c, 256)
			if x.registered {
				r.Revision = register(t, c, r).Revision
			}
			s.intercept = func(req *http.Request) (int, string) {
				return x.intercept(s, r.ID.Name, req.Method+strings.Replace(req.URL.Path, "/v2/projects", " ", 1))
			}
			register(t, c, r)
			if got := s.resources["jobs"][r.ID.Name]["image_reference"]; got != image {
				t.Errorf("the job runs %v, want %s", got, image)
			}
			if slices.ContainsFunc(s.log, func(line string) bool { return strings.HasPrefix(line, "DELETE") }) {
				t.Errorf("unexpected deletion: %q", s.log)
			}
		})
	}
}

// A job that is being deleted still exists for a short time. Register waits until it can be created again.
func TestRegisterWaitsForDeletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeService()
		c := newCompute(s)
		r := runtimeOf(c, 256)
		r.Revision = register(t, c, r).Revision
		start := time.Now()
		s.intercept = func(req *http.Request) (int, string) {
			if req.Method == "PATCH" || req.Method == "POST" && time.Since(start) < 3*time.Second {
				return 409, errorBody("conflict", "The job is being deleted.")
			}
			if time.Since(start) >= 3*time.Second && req.Method == "POST" {
				delete(s.resources["jobs"], r.ID.Name)
			}
			if time.Since(start) >= 3*time.Second && req.Method == "GET" {
				return 404, errorBody("resource_not_found", "Resource not found.")
			}
			return 0, ""
		}
		register(t, c, r)
	})
}

// The config map with the code is deleted with the last job that uses it.
func TestCodeIsDeletedWithTheLastJob(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	small, large := register(t, c, runtimeOf(c, 256)), register(t, c, runtimeOf(c, 512))
	old := s.names("config_maps")[0]

	newer := code
	newer.SHA256 = "fedcba9876543210"
	update := func(r entity.Registered) {
		t.Helper()
		if _, err := c.Register(t.Context(), r, newer); err != nil {
			t.Fatal(err)
		}
		if err := c.DeleteUnused(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	update(small)
	if maps := s.names("config_maps"); !slices.Contains(maps, old) || len(maps) != 2 {
		t.Errorf("a job still uses %s, got the config maps %q", old, maps)
	}
	update(large)
	if maps := s.names("config_maps"); slices.Contains(maps, old) || len(maps) != 1 {
		t.Errorf("no job uses %s, got the config maps %q", old, maps)
	}
	for _, r := range []entity.Registered{small, large} {
		if err := c.Unregister(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.DeleteUnused(t.Context()); err != nil || len(s.names("config_maps")) != 0 {
		t.Errorf("without jobs: got %q, %v", s.names("config_maps"), err)
	}
}

// The registry credentials are stored in the secret of the client. It is created once and used by every job.
func TestRegistrySecret(t *testing.T) {
	s := newFakeService()
	private := func(_ *Options, o *ComputeOptions) {
		o.Settings = lithops.Compute{DockerServer: "docker.io", DockerUser: "me", DockerPassword: "hidden"}
	}
	c := newCompute(s, private)
	for _, mb := range []int{256, 512} {
		r := register(t, c, runtimeOf(c, mb))
		if got := s.resources["jobs"][r.ID.Name]["image_secret"]; got != "lithops-regcred" {
			t.Errorf("the job's secret is %v", got)
		}
	}
	if n := strings.Count(strings.Join(s.log, "\n"), "/secrets"); n != 1 {
		t.Errorf("%d requests for the secret, want 1", n)
	}
	if created, err := newCompute(s, private).CreateResource(t.Context(), entity.Resource{}); created || err != nil {
		t.Errorf("CreateResource of an existing secret: %v, %v; want an update", created, err)
	}
	if err := c.DeleteResource(t.Context(), c.RequiredResources()[0]); !fault.Is(err, fault.Conflict) {
		t.Errorf("deleted a secret that jobs use: %v", err)
	}
}

// A job that the service stores in a different form is not reported as replaced by another tool.
func TestServiceThatNormalizesJobs(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	s.normalize = func(doc map[string]any) {
		if doc["image_reference"] == image {
			doc["image_reference"] = "registry-1." + image
		}
	}
	r := runtimeOf(c, 256)
	register(t, c, r)
	got, err := c.Runtime(t.Context(), r.ID)
	if err != nil || got.Replaced() {
		t.Errorf("reported as replaced: %+v, %v", got, err)
	}
}
