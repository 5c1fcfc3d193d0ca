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

// known is a memory of projects.
type known map[string]string

func (k known) Lookup(name string) (string, bool) { id, ok := k[name]; return id, ok }

func (k known) Store(name, id string) error { k[name] = id; return nil }

func (k known) Remove(name string) error { delete(k, name); return nil }

func remembering(k known) func(*Options, *ComputeOptions) {
	return func(o *Options, _ *ComputeOptions) { o.Project.Cache = k }
}

// A project is found by its name on whatever page, and remembered.
func TestProjectOnAnotherPage(t *testing.T) {
	s := newService()
	s.projects = []projectDoc{{"id-0", "another", active}, {"id-1", "lithops-eu-de-abce", active}, {"id-2", "lithops-eu-de-abcd", active}}
	s.pages = 1
	k := known{}
	c := opened(s, remembering(k))
	if err := c.FindScope(t.Context()); err != nil || c.Scope().ID != "id-2" || k["lithops-eu-de-abcd"] != "id-2" || c.Namespace() != "id-2" {
		t.Errorf("FindScope: %v, %+v, remembered %v", err, c.Scope(), k)
	}
	s.log = nil
	if err := opened(s, remembering(k)).FindScope(t.Context()); err != nil || len(s.log) != 1 {
		t.Errorf("a remembered project took %q, %v", s.log, err)
	}
}

// What the memory knows of a project that has gone does not hold.
func TestRememberedProjectHasGone(t *testing.T) {
	k := known{"lithops-eu-de-abcd": "old"}
	c := opened(newService(), remembering(k))
	if err := c.FindScope(t.Context()); err != nil || c.Scope().ID != "id-1" || k["lithops-eu-de-abcd"] != "id-1" {
		t.Errorf("FindScope: %v, %+v, remembered %v", err, c.Scope(), k)
	}
}

// A new project is waited for; that it is not known everywhere at once, or answers 503, is no failure.
func TestSlowProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.projects = nil
		c := opened(s)
		start := time.Now()
		s.before = func(r *http.Request) (int, string) {
			switch age := time.Since(start); {
			case strings.HasSuffix(r.URL.Path, "/id-1") && age < 5*time.Second:
				return 404, refused("resource_not_found", "Resource not found.")
			case strings.HasSuffix(r.URL.Path, "/id-1") && age < 10*time.Second:
				return 503, ""
			case age > time.Minute:
				s.projects[0].Status = active
			}
			return 0, ""
		}
		if err := c.FindScope(t.Context()); !fault.Is(err, fault.NotFound) || c.Namespace() != unmade {
			t.Errorf("FindScope before: %v, %s", err, c.Namespace())
		}
		if err := c.CreateScope(t.Context()); err != nil || c.Scope().ID != "id-1" {
			t.Errorf("CreateScope: %v, %+v", err, c.Scope())
		}
		if took := time.Since(start); took < time.Minute || took > 80*time.Second {
			t.Errorf("it took %s until a project of a minute could be used", took)
		}
	})
}

// What refuses for good while a project is waited for is not waited for as long as a project.
func TestServiceRefusesWhileAProjectIsWaitedFor(t *testing.T) {
	for status, want := range map[int]struct {
		kind  fault.Kind
		after time.Duration
	}{401: {fault.Denied, 5 * time.Second}, 403: {fault.Denied, time.Minute}, 503: {fault.Unavailable, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			s.projects[0].Status = creating
			start := time.Now()
			s.before = func(*http.Request) (int, string) {
				if time.Since(start) > time.Second {
					return status, refused("no", "No.")
				}
				return 0, ""
			}
			err := opened(s).CreateScope(t.Context())
			if took := time.Since(start); fault.KindOf(err) != want.kind || took > want.after {
				t.Errorf("%d: after %s it says %v, want %s after %s at most", status, took, err, want.kind, want.after)
			}
		})
	}
}

// A project that is being made by somebody else is waited for, too; one that is never ready ends in words.
func TestProjectThatIsNeverReady(t *testing.T) {
	for status, want := range map[string]fault.Kind{creating: fault.Timeout, creationFailed: fault.Failed} {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			s.projects[0].Status = creating
			c := opened(s)
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
				t.Errorf("another one was made: %q", s.log)
			}
		})
	}
}

// The name of a project that was deleted is taken for a week, which the fault explains.
func TestSoftDeletedProject(t *testing.T) {
	s := newService()
	s.projects = nil
	s.before = func(r *http.Request) (int, string) {
		if r.Method == "POST" {
			return 409, refused("project_name_already_exists", "A project with this name is soft-deleted.")
		}
		return 0, ""
	}
	err := opened(s).CreateScope(t.Context())
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.Conflict || !strings.Contains(f.Reason.String(), "seven days") || !strings.Contains(f.Recovery.String(), "--hard") {
		t.Errorf("CreateScope: %v", err)
	}
}

// A project that somebody else makes at the same time, or that was made although the answer was lost, is taken.
func TestProjectMadeMeanwhile(t *testing.T) {
	s := newService()
	all := s.projects
	s.projects = nil
	s.before = func(r *http.Request) (int, string) {
		if r.Method == "POST" {
			s.projects = all
			return 409, refused("project_name_already_exists", "There is such a project.")
		}
		return 0, ""
	}
	c := opened(s)
	if err := c.CreateScope(t.Context()); err != nil || c.Scope().ID != "id-1" {
		t.Errorf("CreateScope: %v, %+v", err, c.Scope())
	}
}

func TestDeleteScope(t *testing.T) {
	s := newService()
	k := known{}
	c := opened(s, remembering(k))
	for range 2 { // one that is not there is as good as removed
		if err := c.DeleteScope(t.Context()); err != nil || len(s.projects) != 0 || len(k) != 0 {
			t.Errorf("DeleteScope: %v, left %v, remembered %v", err, s.projects, k)
		}
	}
	list, err := c.Runtimes(t.Context())
	if groups, lerr := c.Leftovers(t.Context()); err != nil || lerr != nil || len(list.Runtimes)+len(groups) != 0 {
		t.Errorf("without a project there are %+v, %v, %v, %v", list, groups, err, lerr)
	}
}
