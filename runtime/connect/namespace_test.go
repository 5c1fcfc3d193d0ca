package connect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// fakeFunctions is an IBM Cloud Functions API with namespaces and packages.
type fakeFunctions struct {
	mu         sync.Mutex
	namespaces []map[string]string
	packages   []map[string]any
	valid      string // the only namespace with packages; "" accepts any
	requests   []string
}

func (s *fakeFunctions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Header.Get("Authorization") != "Bearer tok":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"who"}`))
	case r.Method == "POST":
		ns := map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&ns)
		ns["id"] = "made-" + ns["name"]
		s.namespaces = append(s.namespaces, ns)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(ns)
	case strings.HasSuffix(r.URL.Path, "/namespaces"):
		_ = json.NewEncoder(w).Encode(map[string]any{"namespaces": s.namespaces})
	case strings.HasSuffix(r.URL.Path, "/packages") && (s.valid == "" || strings.Contains(r.URL.Path, "/"+s.valid+"/")):
		_ = json.NewEncoder(w).Encode(s.packages)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":"no"}`))
	}
}

// serviceOptions starts svc and returns options that access it with a token.
func serviceOptions(t *testing.T, svc *fakeFunctions, version, more string) Options {
	t.Helper()
	server := httptest.NewServer(svc)
	t.Cleanup(server.Close)
	validToken := fmt.Sprintf("  token: tok\n  token_expiry_time: %d\n", time.Now().Add(48*time.Hour).Unix())
	return newOptions(t, version, ibm(server.URL, validToken+more))
}

func TestNamespaceIsLookedUpOnceAndCached(t *testing.T) {
	svc := &fakeFunctions{namespaces: []map[string]string{{"id": "other", "name": "x"}, {"id": "guid-1", "name": "ns"}}}
	o := serviceOptions(t, svc, "3.7.0", "")
	o.UserKey = "abcd"
	s, err := Open(t.Context(), o)
	if err != nil || len(svc.requests) > 0 {
		t.Fatalf("%v %v", err, svc.requests)
	}
	for range 3 {
		if err := s.Compute.FindScope(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.Compute.Scope().ID != "guid-1" || len(svc.requests) != 1 {
		t.Errorf("%+v, requests %v", s.Target, svc.requests)
	}
	s, err = Open(t.Context(), o)
	if err == nil {
		err = s.Compute.FindScope(t.Context())
	}
	if err != nil || s.Compute.Scope().ID != "guid-1" || len(svc.requests) != 1 {
		t.Errorf("the cache was not used: %v %v", err, svc.requests)
	}
}

// If the cache file of the client contains the ID of a deleted namespace, the error of the service triggers a new
// lookup, and the cache file is corrected. A valid ID is not looked up again.
func TestStaleNamespaceIsLookedUpAgain(t *testing.T) {
	for name, c := range map[string]struct {
		cached, want string
		lookups      int
	}{
		"another id": {"gone", "guid-1", 1},
		"confirmed":  {"guid-1", "guid-1", 0},
		"deleted":    {"gone", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &fakeFunctions{}
			if c.want != "" {
				svc.namespaces = []map[string]string{{"id": c.want, "name": "ns"}}
			}
			svc.valid = "guid-1"
			o := serviceOptions(t, svc, "3.7.0", "")
			o.UserKey = "abcd"
			cache := lithops.Cache{Dir: lithops.CacheDir(o.Host.Home)}
			if err := cache.WriteNamespace(lithops.IBMCF, entity.Scope{ID: c.cached, Name: "ns"}); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				_, err = s.Compute.Runtimes(t.Context())
			}
			lookups := 0
			for _, r := range svc.requests {
				if strings.HasSuffix(r, "/namespaces") {
					lookups++
				}
			}
			cached, _ := cache.ReadNamespace(lithops.IBMCF, "ns")
			if cached.ID != c.want || s.Compute.Scope().ID != c.want || err != nil || (c.want == "") != fault.Is(s.Compute.FindScope(t.Context()), fault.NotFound) {
				t.Errorf("%v; cached id %q, target id %q; requests %v", err, cached.ID, s.Compute.Scope().ID, svc.requests)
			}
			if c.want != "" && lookups != c.lookups {
				t.Errorf("looked up %d times", lookups)
			}
		})
	}
}

func TestNamespaceIsCreatedInAResourceGroup(t *testing.T) {
	svc := &fakeFunctions{}
	o := serviceOptions(t, svc, "3.7.0", "")
	o.UserKey = "abcd"
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Compute.FindScope(t.Context()); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	if err := s.Compute.CreateScope(t.Context()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "resource group") {
		t.Errorf("without a group: %v", err)
	}
	o.ResourceGroup = "my-group"
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	err = s.Compute.CreateScope(t.Context())
	if err != nil || svc.namespaces[0]["resource_group_id"] != "my-group" || s.Compute.Scope().ID != "made-ns" {
		t.Errorf("%v %v", err, svc.namespaces)
	}
}
