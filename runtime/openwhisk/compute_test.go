package openwhisk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// TestNamespaceOfAnotherKey simulates how Apache OpenWhisk responds if the namespace belongs to another key: lists
// contain no Lithops entities, and all other requests are denied.
func TestNamespaceOfAnotherKey(t *testing.T) {
	for own, kind := range map[string]fault.Kind{`["guest"]`: fault.Denied, `["guest", "` + ns + `"]`: fault.NotFound} {
		c := NewCompute(serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/namespaces"):
				fmt.Fprint(w, own)
			case strings.HasSuffix(r.URL.Path, "/packages"):
				fmt.Fprint(w, `[{"name": "utils"}]`)
			case kind == fault.Denied:
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `{"error": "The supplied authentication is not authorized to access it."}`)
			default:
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprint(w, `{"error": "The requested resource does not exist."}`)
			}
		}), ComputeOptions{Contract: lithops.Contract{Backend: lithops.OpenWhisk, UserKey: "abcde", Version: "3.8.0"}})
		_, listed := c.Runtimes(t.Context())
		_, leftovers := c.Leftovers(t.Context())
		_, has := c.HasResource(t.Context(), entity.Resource{Name: "lithops_abcde"})
		_, read := c.Runtime(t.Context(), entity.ID{Group: "lithops_abcde", Name: "a_256MB_3.8.0"})
		for what, err := range map[string]error{"list": listed, "leftovers": leftovers, "package": has, "action": read} {
			if kind == fault.NotFound && what != "action" {
				if err != nil {
					t.Errorf("%s in the key's own namespace: %v", what, err)
				}
				continue
			}
			if !fault.Is(err, kind) || kind == fault.Denied && !strings.Contains(err.Error(), "The API key belongs to guest, not to namespace "+ns) {
				t.Errorf("%s with a key of %s: got %v, want %s", what, own, err, kind)
			}
		}
	}
}

// server is a fake OpenWhisk with packages and actions. It records the requests in its namespace.
type server struct {
	mu       sync.Mutex
	packages map[string][]map[string]any
	images   map[string]string // of actions, by package/action
	deny     bool              // return 404 for every deletion
	requests []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, path, _ := strings.Cut(r.URL.Path, "/"+ns+"/")
	s.requests = append(s.requests, r.Method+" "+path)
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	reply := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	missing := func() { reply(http.StatusNotFound, map[string]string{"error": "not here"}) }
	switch actions, exists := s.packages[strings.Join(parts[1:min(2, len(parts))], "")]; {
	case path == "packages":
		var rows []map[string]any
		for name := range s.packages {
			rows = append(rows, map[string]any{"name": name})
		}
		reply(http.StatusOK, rows)
	case r.Method == http.MethodDelete && s.deny:
		missing()
	case parts[0] == "packages" && r.Method == http.MethodPut:
		s.packages[parts[1]] = nil
		reply(http.StatusOK, map[string]any{})
	case !exists:
		missing()
	case parts[0] == "packages":
		delete(s.packages, parts[1])
		reply(http.StatusOK, map[string]any{})
	case len(parts) == 2:
		reply(http.StatusOK, actions[min(len(actions), skip(r)):min(len(actions), skip(r)+pageSize)])
	case r.Method == http.MethodPut:
		s.images[parts[1]+"/"+parts[2]] = "put"
		reply(http.StatusOK, map[string]any{})
	case s.images[parts[1]+"/"+parts[2]] == "":
		missing()
	case r.Method == http.MethodDelete:
		delete(s.images, parts[1]+"/"+parts[2])
		reply(http.StatusOK, map[string]any{})
	default:
		reply(http.StatusOK, map[string]any{"name": parts[2], "exec": map[string]string{"kind": "blackbox", "image": s.images[parts[1]+"/"+parts[2]]}})
	}
}

func skip(r *http.Request) (n int) {
	_, _ = fmt.Sscan(r.URL.Query().Get("skip"), &n)
	return n
}

// withImage returns a list entry of an action with an image annotation. withoutImage returns one without.
func withImage(name, image string) map[string]any {
	return map[string]any{"name": name, "annotations": []map[string]any{{"key": entity.NoteImage, "value": image}}}
}

func withoutImage(name string) map[string]any { return map[string]any{"name": name} }

func computeOf(t *testing.T, s *server) *Compute {
	t.Helper()
	contract := lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.7.0", UserKey: "abcde", Namespace: ns}
	return NewCompute(serve(t, s.ServeHTTP), ComputeOptions{Contract: contract})
}

// Runtimes are the actions whose names follow the patterns of Lithops. An action without an image annotation is read
// to find its image. If it has none, it is not a runtime.
func TestRuntimesMatchLithopsNames(t *testing.T) {
	s := &server{packages: map[string][]map[string]any{
		"lithops_abcde":        {withImage("me_a_256MB_3.7.0", "me/a"), withoutImage("me_b_512MB_3.7.0"), withoutImage("node_256MB_3.7.0"), withoutImage("hello")},
		"lithops_v2.6.0_abcde": {withImage("me_a_256MB", "me/a")},
		"lithops_other":        {withImage("me_c_256MB_3.7.0", "me/c")},
		"mine":                 {withoutImage("me_d_256MB_3.7.0")},
	}, images: map[string]string{"lithops_abcde/me_b_512MB_3.7.0": "me/b"}}
	list, err := computeOf(t, s).Runtimes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list.Runtimes {
		got = append(got, fmt.Sprintf("%s %s%s %d %s own=%v", r.ID, r.Note(entity.NoteImage), r.Reference, r.NamedMB, r.Version, r.Own))
	}
	slices.Sort(got)
	want := []string{
		"lithops_abcde/me_a_256MB_3.7.0 me/a 256 3.7.0 own=true",
		"lithops_abcde/me_b_512MB_3.7.0 me/b 512 3.7.0 own=true",
		"lithops_other/me_c_256MB_3.7.0 me/c 256 3.7.0 own=false",
		"lithops_v2.6.0_abcde/me_a_256MB me/a 256 2.6.0 own=true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runtimes (-want +got):\n%s", diff)
	}
}

func TestRuntimesAreReadInPages(t *testing.T) {
	s := &server{packages: map[string][]map[string]any{}}
	for i := range 1000 {
		s.packages["lithops_abcde"] = append(s.packages["lithops_abcde"], withImage(fmt.Sprintf("me_i%d_256MB_3.7.0", i), "me/i"))
	}
	list, err := computeOf(t, s).Runtimes(t.Context())
	// 1 page of packages, 6 pages of actions (the last one empty), and pages requested in advance
	if err != nil || len(list.Runtimes) != 1000 || len(s.requests) > 8 {
		t.Errorf("got %d runtimes with %d requests (%v), want 1000 with at most 8", len(list.Runtimes), len(s.requests), err)
	}
}

// If the package was deleted in the meantime, Register creates it again.
func TestRegisterCreatesMissingPackage(t *testing.T) {
	s := &server{packages: map[string][]map[string]any{}, images: map[string]string{}}
	id := entity.ID{Group: "lithops_abcde", Name: "me_a_256MB_3.7.0"}
	_, err := computeOf(t, s).Register(t.Context(), entity.Registered{ID: id, Reference: "me/a", Notes: map[string]any{"exec": "server's", "x": "kept"}}, lithops.Bundle{Base64: "UEs="})
	want := []string{"PUT actions/" + id.String(), "PUT packages/lithops_abcde", "PUT actions/" + id.String()}
	if diff := cmp.Diff(want, s.requests); err != nil || diff != "" {
		t.Errorf("%v, requests (-want +got):\n%s", err, diff)
	}
}

// A 404 response to a deletion is accepted only if a second request confirms it.
func TestDeletionVerifiesNotFound(t *testing.T) {
	id := entity.ID{Group: "lithops_abcde", Name: "me_a_256MB_3.7.0"}
	resource := entity.Resource{Term: packageTerm, Name: id.Group}
	for name, remove := range map[string]func(c *Compute) error{
		"runtime": func(c *Compute) error { return c.Unregister(t.Context(), id) },
		"package": func(c *Compute) error { return c.DeleteResource(t.Context(), resource) },
	} {
		newServer := func() *server {
			return &server{packages: map[string][]map[string]any{id.Group: nil}, images: map[string]string{id.String(): "me/a"}}
		}
		if err := remove(computeOf(t, newServer())); err != nil {
			t.Errorf("existing %s: %v", name, err)
		}
		if err := remove(computeOf(t, &server{})); err != nil {
			t.Errorf("missing %s: got %v, want no error", name, err)
		}
		s := newServer()
		s.deny = true
		if err := remove(computeOf(t, s)); !fault.Is(err, fault.Conflict) {
			t.Errorf("existing %s reported as missing: got %v, want a fault.Conflict", name, err)
		}
	}
}

// DeleteScope returns an error if the service returns 404 for the deletion of a namespace that still exists.
func TestDeleteScopeVerifiesNotFound(t *testing.T) {
	for exists, kind := range map[bool]fault.Kind{true: fault.Conflict, false: ""} {
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"error":"not here"}`))
				return
			}
			list := []map[string]string{}
			if exists {
				list = append(list, map[string]string{"id": "guid", "name": ns})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"namespaces": list})
		})
		client.state.Namespace = Namespace{Scope: entity.Scope{Name: ns, ID: "guid"}}
		err := NewCompute(client, ComputeOptions{}).DeleteScope(t.Context())
		if err != nil && fault.KindOf(err) != kind || err == nil && kind != "" {
			t.Errorf("exists %v: got %v, want %q", exists, err, kind)
		}
	}
}
