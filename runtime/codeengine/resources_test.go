package codeengine

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// add adds a document as another tool would.
func (s *fakeService) add(kind, name string, more ...any) {
	doc := map[string]any{"name": name, "entity_tag": "1", "created_at": "2026-01-01T00:00:00Z"}
	for i := 0; i < len(more); i += 2 {
		doc[more[i].(string)] = more[i+1]
	}
	s.resources[kind][name] = doc
}

// addSharedJobs adds jobs of two keys and of another tool to the project.
func addSharedJobs(c *Compute, s *fakeService) (ownJob, otherJob string) {
	contract := c.contract()
	a, _ := contract.Runtime(image, 256)
	contract.UserKey = "zzzz"
	b, _ := contract.Runtime(image, 256)
	env := []any{map[string]any{"type": "literal", "name": "LITHOPS_RUNTIME_TYPE", "value": "lithops-runtime"}, map[string]any{"type": "literal", "name": "LITHOPS_VERSION", "value": "3.8.0"}}
	s.add("jobs", a.Name, "image_reference", image, "run_env_variables", env, "scale_memory_limit", "0.25G", "scale_cpu_limit", "0.125")
	s.add("jobs", b.Name, "image_reference", image, "run_env_variables", env, "scale_memory_limit", "0.25G", "scale_cpu_limit", "0.125",
		"run_volume_mounts", []any{map[string]any{"type": "config_map", "reference": "fn-runtime-380-theirs", "mount_path": "/fn-runtime"}})
	s.add("jobs", "something-else", "image_reference", "another/image")
	return a.Name, b.Name
}

// Leftovers returns the resources of the user and unused resources, in the order runs, jobs, config maps, secret. It
// omits the resources of other keys and other tools.
func TestLeftovers(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	ownJob, otherJob := addSharedJobs(c, s)
	s.add("job_runs", "lithops-1-0-m000", "job_name", ownJob)
	s.add("job_runs", "lithops-2-0-m000", "job_name", otherJob)
	s.add("job_runs", "lithops-3-0-m000", "job_name", "a-job-that-went")
	s.add("job_runs", "fn-runtime-meta-1", "job_name", ownJob)
	s.add("job_runs", "of-another-tool", "job_name", "something-else")
	for _, name := range []string{"lithops-1-0-m000", "lithops-2-0-m000", "lithops-left", "fn-runtime-380-old", "fn-runtime-380-theirs", "fn-runtime-meta-1", "of-another-tool"} {
		s.add("config_maps", name)
	}
	s.add("secrets", "lithops-regcred")
	groups, err := c.Leftovers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, group := range groups {
		line := group[0].Term.Word + ":"
		for _, resource := range group {
			line += " " + resource.Name
		}
		got = append(got, line)
	}
	want := []string{"job_run: fn-runtime-meta-1 lithops-1-0-m000 lithops-3-0-m000", "job: " + ownJob,
		"config_map: fn-runtime-380-old fn-runtime-meta-1 lithops-1-0-m000 lithops-left", "secret: lithops-regcred"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("leftovers (-want +got):\n%s", d)
	}
	for _, group := range groups {
		for _, resource := range group {
			for range 2 { // deleting a missing resource succeeds
				if err := c.DeleteResource(t.Context(), resource); err != nil {
					t.Errorf("DeleteResource of %+v: %v", resource, err)
				}
			}
		}
	}
	if groups, err = c.Leftovers(t.Context()); err != nil || len(groups) != 0 {
		t.Errorf("after the deletion: %+v, %v", groups, err)
	}
	if jobs := s.names("jobs"); len(jobs) != 2 {
		t.Errorf("got the jobs %q, want two of others", jobs)
	}
}

// A job that the client created is a runtime, too, regardless of the memory in its name. A job of another tool is
// not.
func TestRuntimesIncludeJobsOfTheClient(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	ownJob, otherJob := addSharedJobs(c, s)
	s.perPage = 1
	list, err := c.Runtimes(t.Context())
	if err != nil || len(list.Runtimes) != 2 {
		t.Fatalf("%+v, %v", list.Runtimes, err)
	}
	for _, r := range list.Runtimes {
		want := entity.Registered{ID: entity.ID{Name: ownJob}, Own: true}
		if r.ID.Name == otherJob {
			want = entity.Registered{ID: entity.ID{Name: otherJob}}
		}
		if r.ID != want.ID || r.Own != want.Own || r.NamedMB != 256 || r.Version != "3.8.0" || r.Reference != image || r.MilliCPU != 125 || r.Unmodified() || r.Replaced() {
			t.Errorf("got %+v", r)
		}
	}
}

// Unregister does not delete a job whose name only starts with the given name.
func TestUnregisterMatchesTheCompleteName(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	ownJob, _ := addSharedJobs(c, s)
	s.add("jobs", ownJob+"-and-more", "image_reference", image)
	if err := c.Unregister(t.Context(), entity.ID{Name: ownJob}); err != nil || len(s.names("jobs")) != 3 {
		t.Errorf("%v, got the jobs %q", err, s.names("jobs"))
	}
}

// A 404 response to a deletion is not accepted if it comes from a gateway or if a second request finds the job.
func TestDeletionVerifiesNotFound(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	ownJob, _ := addSharedJobs(c, s)
	for _, body := range []string{"<html>404</html>", errorBody("resource_not_found", "Resource not found.")} {
		s.intercept = func(r *http.Request) (int, string) {
			if r.Method == "DELETE" {
				return 404, body
			}
			return 0, ""
		}
		if err := c.Unregister(t.Context(), entity.ID{Name: ownJob}); err == nil {
			t.Errorf("existing job reported as deleted after %q", body)
		}
	}
}

// Errors contain the message of the service and the trace ID that its support needs.
func TestErrorResponses(t *testing.T) {
	for _, x := range []struct {
		status    int
		body      string
		kind      fault.Kind
		reason    string
		recovery  string
		withTrace bool
	}{
		{401, errorBody("unauthorized", "Unauthorized"), fault.Denied, "Unauthorized.", "ibmcloud login", true},
		{403, errorBody("forbidden", "You are not allowed"), fault.Denied, "not allowed", "ibmcloud login", true},
		{403, errorBody("quota_exceeded", "The quota is exceeded"), fault.Failed, "quota", "fn-runtime clean", true},
		{400, errorBody("invalid", "combination of scale_cpu_limit is not valid"), fault.Invalid, "scale_cpu_limit", "Correct", true},
		{404, errorBody("resource_not_found", "Resource not found."), fault.NotFound, "did not find the jobs", "project", true},
		{404, "<html>not here</html>", fault.Unavailable, "No Code Engine API", "endpoint", false},
		{409, errorBody("conflict", "It exists"), fault.Conflict, "It exists", "ommand", true},
		{412, errorBody("tag", "Changed"), fault.Conflict, "Changed", "ommand", true},
		{429, "", fault.Throttled, "Too Many Requests", "--jobs", false},
		{500, "\x1b[2J", fault.Unavailable, "Internal Server Error", "later", false},
	} {
		t.Run(fmt.Sprint(x.status, x.body), func(t *testing.T) {
			s := newFakeService()
			s.intercept = func(r *http.Request) (int, string) {
				if strings.HasSuffix(r.URL.Path, "/jobs") {
					return x.status, x.body
				}
				return 0, ""
			}
			_, err := newCompute(s).client.jobs(t.Context())
			var f *fault.Fault
			if !errors.As(err, &f) || f.Kind != x.kind || !strings.Contains(f.Reason.String(), x.reason) || !strings.Contains(f.Recovery.String(), x.recovery) {
				t.Fatalf("got %+v", err)
			}
			if got := strings.Contains(strings.Join(f.Details, " "), "trace codeengine-api-1234"); got != x.withTrace {
				t.Errorf("details: %q", f.Details)
			}
		})
	}
}

// Endless and malformed lists result in an error.
func TestMalformedLists(t *testing.T) {
	for name, body := range map[string]string{
		"repeated page":          `{"jobs":[{"name":"a"}],"next":{"start":"again"}}`,
		"object instead of list": `{"jobs":{"name":"a"}}`,
		"empty":                  ``,
		"array":                  `[]`,
		"number as next page":    `{"jobs":[],"next":7}`,
	} {
		s := newFakeService()
		s.intercept = func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, "/jobs") {
				return 200, body
			}
			return 0, ""
		}
		if got, err := newCompute(s).client.jobs(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Usage counts the resources of each quota and returns those that are no longer needed.
func TestUsage(t *testing.T) {
	s := newFakeService()
	c := newCompute(s)
	ownJob, _ := addSharedJobs(c, s)
	now := time.Now().UTC().Format(time.RFC3339)
	s.add("job_runs", "lithops-ended", "job_name", ownJob, "status", "completed")
	s.add("job_runs", "lithops-ended-now", "job_name", ownJob, "status", "completed", "created_at", now)
	s.add("job_runs", "lithops-runs", "job_name", ownJob, "status", "running")
	for _, name := range []string{"lithops-ended", "lithops-ended-now", "lithops-runs", "lithops-lost", "fn-runtime-380-theirs", "fn-runtime-380-old", "of-another-tool"} {
		s.add("config_maps", name)
	}
	s.add("config_maps", "lithops-new", "created_at", now)
	s.add("job_runs", clientMetadataRun, "job_name", ownJob, "status", "running", "created_at", now)
	s.add("config_maps", "lithops-"+ownJob+"-metadata", "created_at", time.Now().Add(-time.Minute*10).Format(time.RFC3339))
	got, err := c.Usage(t.Context())
	if err != nil || got.Quotas[0].Used != 3 || got.Quotas[1].Used != 4 || got.Quotas[2].Used != 9 {
		t.Errorf("%+v, %v", got.Quotas, err)
	}
	var leftovers []string
	for _, resource := range got.Leftovers {
		leftovers = append(leftovers, resource.Term.Word+" "+resource.Name)
	}
	slices.Sort(leftovers)
	want := []string{"config_map fn-runtime-380-old", "config_map lithops-ended", "config_map lithops-lost", "job_run lithops-ended"}
	if d := cmp.Diff(want, leftovers); d != "" {
		t.Errorf("leftovers (-want +got):\n%s", d)
	}
}

// The config map of an interrupted metadata call makes all later deployments of that client fail. Usage reports it as
// a leftover unless a client may be running.
func TestUsageReportsMetadataConfigMap(t *testing.T) {
	for run, want := range map[string]int{"": 1, clientMetadataRun: 0} {
		s := newFakeService()
		c := newCompute(s)
		old := time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339)
		s.add("config_maps", "lithops-lithops-worker-abcd-380-0123456789-metadata", "created_at", old)
		if run != "" {
			s.add("job_runs", run, "status", "running", "created_at", old)
		}
		if got, err := c.Usage(t.Context()); err != nil || len(got.Leftovers) != want {
			t.Errorf("with the run %q: got leftovers %+v, %v; want %d", run, got.Leftovers, err, want)
		}
	}
}
