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

// put makes a document as another tool would.
func (s *service) put(kind, name string, more ...any) {
	doc := map[string]any{"name": name, "entity_tag": "1", "created_at": "2026-01-01T00:00:00Z"}
	for i := 0; i < len(more); i += 2 {
		doc[more[i].(string)] = more[i+1]
	}
	s.resources[kind][name] = doc
}

// shared is a project of two keys.
func shared(c *Compute, s *service) (mine, theirs string) {
	contract := c.contract()
	a, _ := contract.Runtime(image, 256)
	contract.UserKey = "zzzz"
	b, _ := contract.Runtime(image, 256)
	env := []any{map[string]any{"type": "literal", "name": "LITHOPS_RUNTIME_TYPE", "value": "lithops-runtime"}, map[string]any{"type": "literal", "name": "LITHOPS_VERSION", "value": "3.8.0"}}
	s.put("jobs", a.Name, "image_reference", image, "run_env_variables", env, "scale_memory_limit", "0.25G", "scale_cpu_limit", "0.125")
	s.put("jobs", b.Name, "image_reference", image, "run_env_variables", env, "scale_memory_limit", "0.25G", "scale_cpu_limit", "0.125",
		"run_volume_mounts", []any{map[string]any{"type": "config_map", "reference": "fn-runtime-380-theirs", "mount_path": "/fn-runtime"}})
	s.put("jobs", "something-else", "image_reference", "another/image")
	return a.Name, b.Name
}

// clean removes what is the user's and what nobody has need of, in the order runs, jobs, config maps, secret; what belongs
// to other keys and other tools stays.
func TestLeftovers(t *testing.T) {
	s := newService()
	c := opened(s)
	mine, theirs := shared(c, s)
	s.put("job_runs", "lithops-1-0-m000", "job_name", mine)
	s.put("job_runs", "lithops-2-0-m000", "job_name", theirs)
	s.put("job_runs", "lithops-3-0-m000", "job_name", "a-job-that-went")
	s.put("job_runs", "fn-runtime-meta-1", "job_name", mine)
	s.put("job_runs", "of-another-tool", "job_name", "something-else")
	for _, name := range []string{"lithops-1-0-m000", "lithops-2-0-m000", "lithops-left", "fn-runtime-380-old", "fn-runtime-380-theirs", "fn-runtime-meta-1", "of-another-tool"} {
		s.put("config_maps", name)
	}
	s.put("secrets", "lithops-regcred")
	groups, err := c.Leftovers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, group := range groups {
		line := group[0].Term.Word + ":"
		for _, thing := range group {
			line += " " + thing.Name
		}
		got = append(got, line)
	}
	want := []string{"job_run: fn-runtime-meta-1 lithops-1-0-m000 lithops-3-0-m000", "job: " + mine,
		"config_map: fn-runtime-380-old fn-runtime-meta-1 lithops-1-0-m000 lithops-left", "secret: lithops-regcred"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("leftovers (-want +got):\n%s", d)
	}
	for _, group := range groups {
		for _, thing := range group {
			for range 2 { // what has gone is as good as removed
				if err := c.DeleteResource(t.Context(), thing); err != nil {
					t.Errorf("Remove of %+v: %v", thing, err)
				}
			}
		}
	}
	if groups, err = c.Leftovers(t.Context()); err != nil || len(groups) != 0 {
		t.Errorf("after that there is %+v, %v", groups, err)
	}
	if jobs := s.names("jobs"); len(jobs) != 2 {
		t.Errorf("there are the jobs %q, want two of others", jobs)
	}
}

// A job that the client made is a runtime as well, whatever memory it was named for; one of another tool is not.
func TestRuntimesOfTheClient(t *testing.T) {
	s := newService()
	c := opened(s)
	mine, theirs := shared(c, s)
	s.pages = 1
	list, err := c.Runtimes(t.Context())
	if err != nil || len(list.Runtimes) != 2 {
		t.Fatalf("%+v, %v", list.Runtimes, err)
	}
	for _, r := range list.Runtimes {
		want := entity.Registered{ID: entity.ID{Name: mine}, Own: true}
		if r.ID.Name == theirs {
			want = entity.Registered{ID: entity.ID{Name: theirs}}
		}
		if r.ID != want.ID || r.Own != want.Own || r.NamedMB != 256 || r.Version != "3.8.0" || r.Reference != image || r.MilliCPU != 125 || r.Unmodified() || r.Replaced() {
			t.Errorf("got %+v", r)
		}
	}
}

// A name is another's where it only begins as the user's.
func TestDeletionIsExact(t *testing.T) {
	s := newService()
	c := opened(s)
	mine, _ := shared(c, s)
	s.put("jobs", mine+"-and-more", "image_reference", image)
	if err := c.Unregister(t.Context(), entity.ID{Name: mine}); err != nil || len(s.names("jobs")) != 3 {
		t.Errorf("%v, there is %q", err, s.names("jobs"))
	}
}

// A 404 to a deletion that a gateway wrote deletes nothing; the service is asked again.
func TestDeletionThatIsNotBelieved(t *testing.T) {
	s := newService()
	c := opened(s)
	mine, _ := shared(c, s)
	for _, body := range []string{"<html>404</html>", refused("resource_not_found", "Resource not found.")} {
		s.before = func(r *http.Request) (int, string) {
			if r.Method == "DELETE" {
				return 404, body
			}
			return 0, ""
		}
		if err := c.Unregister(t.Context(), entity.ID{Name: mine}); err == nil {
			t.Errorf("a job that is there was taken for removed after %q", body)
		}
	}
}

// A refusal is told in the service's words, with the trace id that its support asks for.
func TestRefusals(t *testing.T) {
	for _, x := range []struct {
		status    int
		body      string
		kind      fault.Kind
		said, do  string
		withTrace bool
	}{
		{401, refused("unauthorized", "Unauthorized"), fault.Denied, "Unauthorized.", "ibmcloud login", true},
		{403, refused("forbidden", "You are not allowed"), fault.Denied, "not allowed", "ibmcloud login", true},
		{403, refused("quota_exceeded", "The quota is exceeded"), fault.Failed, "quota", "fn-runtime clean", true},
		{400, refused("invalid", "combination of scale_cpu_limit is not valid"), fault.Invalid, "scale_cpu_limit", "Correct", true},
		{404, refused("resource_not_found", "Resource not found."), fault.NotFound, "did not find the jobs", "project", true},
		{404, "<html>not here</html>", fault.Unavailable, "no Code Engine API", "endpoint", false},
		{409, refused("conflict", "It exists"), fault.Conflict, "It exists", "ommand", true},
		{412, refused("tag", "Changed"), fault.Conflict, "Changed", "ommand", true},
		{429, "", fault.Throttled, "Too Many Requests", "--jobs", false},
		{500, "\x1b[2J", fault.Unavailable, "Internal Server Error", "later", false},
	} {
		t.Run(fmt.Sprint(x.status, x.body), func(t *testing.T) {
			s := newService()
			s.before = func(r *http.Request) (int, string) {
				if strings.HasSuffix(r.URL.Path, "/jobs") {
					return x.status, x.body
				}
				return 0, ""
			}
			_, err := opened(s).client.jobs(t.Context())
			var f *fault.Fault
			if !errors.As(err, &f) || f.Kind != x.kind || !strings.Contains(f.Reason.String(), x.said) || !strings.Contains(f.Recovery.String(), x.do) {
				t.Fatalf("got %+v", err)
			}
			if got := strings.Contains(strings.Join(f.Details, " "), "trace codeengine-api-1234"); got != x.withTrace {
				t.Errorf("the details are %q", f.Details)
			}
		})
	}
}

// Lists that have no end, or no sense, end in a fault.
func TestListsOfAHostileService(t *testing.T) {
	for name, body := range map[string]string{
		"the same page again": `{"jobs":[{"name":"a"}],"next":{"start":"again"}}`,
		"no list":             `{"jobs":{"name":"a"}}`,
		"nothing":             ``,
		"a list":              `[]`,
		"a number":            `{"jobs":[],"next":7}`,
	} {
		s := newService()
		s.before = func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, "/jobs") {
				return 200, body
			}
			return 0, ""
		}
		if got, err := opened(s).client.jobs(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is used of the quotas is counted, and what of it nobody has need of any more.
func TestUsage(t *testing.T) {
	s := newService()
	c := opened(s)
	mine, _ := shared(c, s)
	now := time.Now().UTC().Format(time.RFC3339)
	s.put("job_runs", "lithops-ended", "job_name", mine, "status", "completed")
	s.put("job_runs", "lithops-ended-now", "job_name", mine, "status", "completed", "created_at", now)
	s.put("job_runs", "lithops-runs", "job_name", mine, "status", "running")
	for _, name := range []string{"lithops-ended", "lithops-ended-now", "lithops-runs", "lithops-lost", "fn-runtime-380-theirs", "fn-runtime-380-old", "of-another-tool"} {
		s.put("config_maps", name)
	}
	s.put("config_maps", "lithops-new", "created_at", now)
	s.put("job_runs", clientsMetaRun, "job_name", mine, "status", "running", "created_at", now)
	s.put("config_maps", "lithops-"+mine+"-metadata", "created_at", time.Now().Add(-time.Minute*10).Format(time.RFC3339))
	got, err := c.Usage(t.Context())
	if err != nil || got.Quotas[0].Used != 3 || got.Quotas[1].Used != 4 || got.Quotas[2].Used != 9 {
		t.Errorf("%+v, %v", got.Quotas, err)
	}
	var left []string
	for _, thing := range got.Leftovers {
		left = append(left, thing.Term.Word+" "+thing.Name)
	}
	slices.Sort(left)
	want := []string{"config_map fn-runtime-380-old", "config_map lithops-ended", "config_map lithops-lost", "job_run lithops-ended"}
	if d := cmp.Diff(want, left); d != "" {
		t.Errorf("left (-want +got):\n%s", d)
	}
}

// The config map that an interrupted client has left makes every later deployment of its fail. While a client may be at
// work it stays.
func TestConfigMapOfTheClientsMetadata(t *testing.T) {
	for run, want := range map[string]int{"": 1, clientsMetaRun: 0} {
		s := newService()
		c := opened(s)
		old := time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339)
		s.put("config_maps", "lithops-lithops-worker-abcd-380-0123456789-metadata", "created_at", old)
		if run != "" {
			s.put("job_runs", run, "status", "running", "created_at", old)
		}
		if got, err := c.Usage(t.Context()); err != nil || len(got.Leftovers) != want {
			t.Errorf("with the run %q there is left %+v, %v; want %d", run, got.Leftovers, err, want)
		}
	}
}
