package openwhisk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
)

// fakeAction is an action as Apache OpenWhisk stores it. Recorded responses show that a PUT request merges
// annotations, that delAnnotations removes annotations, that the digest of an image is dropped, and that the version
// is incremented unless the request specifies one.
type fakeAction struct {
	setsVersion bool // ignores the version of requests
	puts, patch int
	version     string
	image       string
	annotations map[string]any
}

func (s *fakeAction) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		var in struct {
			Version        string
			Exec           *struct{ Image string }
			Annotations    []struct{ Key, Value any }
			DelAnnotations []string
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		s.puts++
		s.patch++
		if s.version = in.Version; in.Version == "" || s.setsVersion {
			s.version = fmt.Sprintf("0.0.%d", s.patch)
		}
		if in.Exec != nil {
			s.image, _, _ = strings.Cut(in.Exec.Image, "@")
		}
		for _, kv := range in.Annotations {
			s.annotations[kv.Key.(string)] = kv.Value
		}
		for _, key := range in.DelAnnotations {
			delete(s.annotations, key)
		}
	}
	list := []map[string]any{{"key": "provide-api-key", "value": false}, {"key": "exec", "value": "blackbox"}}
	for key, value := range s.annotations {
		list = append(list, map[string]any{"key": key, "value": value})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"name": "me_a_256MB_3.7.0", "version": s.version, "updated": 1700000000000 + s.puts, "annotations": list,
		"exec": map[string]any{"kind": "blackbox", "image": s.image, "binary": true}, "limits": map[string]int{"memory": 256, "timeout": 60000},
	})
}

func TestRegisterUpdatesAnnotations(t *testing.T) {
	s := &fakeAction{annotations: map[string]any{"theirs": "x"}}
	c := NewCompute(serve(t, s.ServeHTTP), ComputeOptions{Contract: lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.7.0", UserKey: "abcde", Namespace: ns}})
	id := entity.ID{Group: "lithops_abcde", Name: "me_a_256MB_3.7.0"}
	register := func(reference string, notes map[string]any) entity.Registered {
		t.Helper()
		have, err := c.Runtime(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Register(t.Context(), entity.Registered{ID: id, Reference: reference, Notes: notes, Revision: have.Revision}, lithops.Bundle{Base64: "UEs="})
		if err != nil {
			t.Fatal(err)
		}
		if got.UpdatedAt.IsZero() || got.Revision != s.version {
			t.Errorf("got revision %q of %s, want %q", got.Revision, got.UpdatedAt, s.version)
		}
		return got
	}
	register("me/a:1", map[string]any{entity.NoteBundle: "one", entity.NotePinned: true, entity.NoteDigest: "sha256:1"})
	register("me/a:1", map[string]any{entity.NoteBundle: "two"})
	now, err := c.Runtime(t.Context(), id)
	if err != nil || now.Pinned() || now.Note(entity.NoteDigest) != "" || now.Note(entity.NoteBundle) != "two" || now.Notes["theirs"] != "x" || !now.Unmodified() {
		t.Errorf("after a deployment without pin: got %+v (%v), want the new annotations and those of other tools", now, err)
	}
	// The client registers its own code: annotations are kept, the version changes.
	if _, err := c.client.PutAction(t.Context(), Action{Package: id.Group, Name: id.Name, Image: "me/a:1"}, "UEs="); err != nil {
		t.Fatal(err)
	}
	if now, _ = c.Runtime(t.Context(), id); !now.Replaced() || now.Note(entity.NoteBundle) != "two" {
		t.Errorf("code of the client not detected: %+v", now)
	}
	if got := register("me/a:1", map[string]any{entity.NoteBundle: "two"}); !got.Unmodified() {
		t.Errorf("after another deployment: got %+v", got)
	}
	if got := register("127.0.0.1:5555/me/a@sha256:1", nil); got.Reference != "127.0.0.1:5555/me/a" {
		t.Errorf("with a digest: got the image %s, want the image that the server stored", got.Reference)
	}
	if got := register("docker.io/me/a", nil); got.Reference != "docker.io/me/a" {
		t.Errorf("got the image %s, want the image that was sent", got.Reference)
	}
}

// If the server sets versions itself, Register stores no revision, and the action is not reported as replaced.
func TestServerThatIgnoresVersions(t *testing.T) {
	s := &fakeAction{setsVersion: true, patch: 7, annotations: map[string]any{}}
	c := NewCompute(serve(t, s.ServeHTTP), ComputeOptions{})
	id := entity.ID{Group: "lithops_abcde", Name: "me_a_256MB_3.7.0"}
	if _, err := c.Register(t.Context(), entity.Registered{ID: id, Reference: "me/a:1"}, lithops.Bundle{Base64: "UEs="}); err != nil {
		t.Fatal(err)
	}
	if now, err := c.Runtime(t.Context(), id); err != nil || now.Replaced() || now.Note(entity.NoteRevision) != "" {
		t.Errorf("got %+v, %v, want no revision noted", now, err)
	}
}
