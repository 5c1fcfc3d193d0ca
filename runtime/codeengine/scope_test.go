package codeengine

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/fault"
)

// memoryCache is an in-memory Cache.
type memoryCache map[string]string

func (k memoryCache) Lookup(name string) (string, bool) { id, ok := k[name]; return id, ok }

func (k memoryCache) Store(name, id string) error { k[name] = id; return nil }

func (k memoryCache) Remove(name string) error { delete(k, name); return nil }

func withCache(k memoryCache) func(*Options, *ComputeOptions) {
	return func(o *Options, _ *ComputeOptions) { o.Project.Cache = k }
}

// A project is found by name on any page, and cached.
func TestProjectIsFoundOnAnyPage(t *testing.T) {
	s := newFakeService()
	s.projects = []projectDoc{{"id-0", "another", active}, {"id-1", "lithops-eu-de-abce", active}, {"id-2", "lithops-eu-de-abcd", active}}
	s.perPage = 1
	k := memoryCache{}
	c := newCompute(s, withCache(k))
	if err := c.FindScope(t.Context()); err != nil || c.Scope().ID != "id-2" || k["lithops-eu-de-abcd"] != "id-2" || c.Namespace() != "id-2" {
		t.Errorf("FindScope: %v, %+v, cached %v", err, c.Scope(), k)
	}
	s.log = nil
	if err := newCompute(s, withCache(k)).FindScope(t.Context()); err != nil || len(s.log) != 1 {
		t.Errorf("requests for a cached project: %q, %v", s.log, err)
	}
}

// A cached ID of a deleted project is replaced.
func TestCachedProjectWasDeleted(t *testing.T) {
	k := memoryCache{"lithops-eu-de-abcd": "old"}
	c := newCompute(newFakeService(), withCache(k))
	if err := c.FindScope(t.Context()); err != nil || c.Scope().ID != "id-1" || k["lithops-eu-de-abcd"] != "id-1" {
		t.Errorf("FindScope: %v, %+v, cached %v", err, c.Scope(), k)
	}
}

// CreateScope waits for a new project. Temporary 404 and 503 responses are not errors.
func TestCreateScopeWaitsForTheProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeService()
		s.projects = nil
		c := newCompute(s)
		start := time.Now()
		s.intercept = func(r *http.Request) (int, string) {
			switch age := time.Since(start); {
			case strings.HasSuffix(r.URL.Path, "/id-1") && age < 5*time.Second:
				return 404, errorBody("resource_not_found", "Resource not found.")
			case strings.HasSuffix(r.URL.Path, "/id-1") && age < 10*time.Second:
				return 503, ""
			case age > time.Minute:
				s.projects[0].Status = active
			}
			return 0, ""
		}
		if err := c.FindScope(t.Context()); !fault.Is(err, fault.NotFound) || c.Namespace() != unknownProjectID {
			t.Errorf("FindScope before: %v, %s", err, c.Namespace())
		}
		if err := c.CreateScope(t.Context()); err != nil || c.Scope().ID != "id-1" {
			t.Errorf("CreateScope: %v, %+v", err, c.Scope())
		}
		if took := time.Since(start); took < time.Minute || took > 80*time.Second {
			t.Errorf("CreateScope took %s for a project that is active after a minute", took)
		}
	})
}

// Permanent errors end the wait for a project early.
func TestWaitForProjectEndsOnPermanentErrors(t *testing.T) {
	for status, want := range map[int]struct {
		kind  fault.Kind
		after time.Duration
	}{401: {fault.Denied, 5 * time.Second}, 403: {fault.Denied, time.Minute}, 503: {fault.Unavailable, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			s := newFakeService()
			s.projects[0].Status = creating
			start := time.Now()
			s.intercept = func(*http.Request) (int, string) {
				if time.Since(start) > time.Second {
					return status, errorBody("no", "No.")
				}
				return 0, ""
			}
			err := newCompute(s).CreateScope(t.Context())
			if took := time.Since(start); fault.KindOf(err) != want.kind || took > want.after {
				t.Errorf("%d: after %s got %v, want %s after %s at most", status, took, err, want.kind, want.after)
			}
		})
	}
}

// CreateScope also waits for a project that another client is creating. It returns an error if the project never
// becomes active.
func TestProjectThatIsNeverReady(t *testing.T) {
	for status, want := range map[string]fault.Kind{creating: fault.Timeout, creationFailed: fault.Failed} {
		synctest.Test(t, func(t *testing.T) {
			s := newFakeService()
			s.projects[0].Status = creating
			c := newCompute(s)
			if err := c.FindScope(t.Context()); !fault.Is(err, fault.NotFound) {
				t.Errorf("FindScope: %v", err)
			}
			time.AfterFunc(time.Minute, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.projects[0].Status = status
			})
			if err := c.CreateScope(t.Context()); !fault.Is(err, want) {
				t.Errorf("CreateScope of a project that stays %s: %v", status, err)
			}
			if slices.Contains(s.log, "POST ") {
				t.Errorf("another project was created: %q", s.log)
			}
		})
	}
}

// The name of a deleted project is in use for seven days. The error explains this.
func TestSoftDeletedProject(t *testing.T) {
	s := newFakeService()
	s.projects = nil
	s.intercept = func(r *http.Request) (int, string) {
		if r.Method == "POST" {
			return 409, errorBody("project_name_already_exists", "A project with this name is soft-deleted.")
		}
		return 0, ""
	}
	err := newCompute(s).CreateScope(t.Context())
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.Conflict || !strings.Contains(f.Reason.String(), "seven days") || !strings.Contains(f.Recovery.String(), "--hard") {
		t.Errorf("CreateScope: %v", err)
	}
}

// CreateScope uses a project that another client created concurrently, or that was created although the response was
// lost.
func TestProjectCreatedConcurrently(t *testing.T) {
	s := newFakeService()
	all := s.projects
	s.projects = nil
	s.intercept = func(r *http.Request) (int, string) {
		if r.Method == "POST" {
			s.projects = all
			return 409, errorBody("project_name_already_exists", "There is such a project.")
		}
		return 0, ""
	}
	c := newCompute(s)
	if err := c.CreateScope(t.Context()); err != nil || c.Scope().ID != "id-1" {
		t.Errorf("CreateScope: %v, %+v", err, c.Scope())
	}
}

func TestDeleteScope(t *testing.T) {
	s := newFakeService()
	k := memoryCache{}
	c := newCompute(s, withCache(k))
	for range 2 { // deleting a missing project succeeds
		if err := c.DeleteScope(t.Context()); err != nil || len(s.projects) != 0 || len(k) != 0 {
			t.Errorf("DeleteScope: %v, remaining %v, cached %v", err, s.projects, k)
		}
	}
	list, err := c.Runtimes(t.Context())
	if groups, lerr := c.Leftovers(t.Context()); err != nil || lerr != nil || len(list.Runtimes)+len(groups) != 0 {
		t.Errorf("without a project: %+v, %v, %v, %v", list, groups, err, lerr)
	}
}
