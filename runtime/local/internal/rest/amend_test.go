package rest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An update lays annotations over those that are there, drops the digest of an image and takes a version, as the recorded
// answers of Apache OpenWhisk do.
func TestUpdatesAmendAnActionAsOpenWhiskDoes(t *testing.T) {
	f := serve(t)
	f.furnish()
	type action struct {
		Version     string
		Exec        struct{ Image string }
		Annotations []struct{ Key string }
	}
	for _, step := range []struct {
		body, version, image string
		keys                 []string
	}{
		{`{"exec":{"kind":"blackbox","image":"me/x@sha256:aaaa"},"annotations":[{"key":"lithops","value":"x"}]}`, "0.0.1", "me/x", []string{"lithops", "exec"}},
		{`{"annotations":[{"key":"z","value":"y"}]}`, "0.0.2", "me/x", []string{"lithops", "z", "exec"}},
		{`{"exec":{"kind":"blackbox","image":"docker.io/me/x:1.0@sha256:aaaa"},"delAnnotations":["lithops","no"]}`, "0.0.3", "docker.io/me/x:1.0", []string{"z", "exec"}},
		{`{"version":"1.2.3"}`, "1.2.3", "docker.io/me/x:1.0", []string{"z", "exec"}},
	} {
		status, body, _ := f.do("basic", "PUT", "/namespaces/_/actions/p/a?overwrite=true", step.body)
		var got action
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			t.Fatalf("%s: got %d %s", step.body, status, body)
		}
		var keys []string
		for _, a := range got.Annotations {
			keys = append(keys, a.Key)
		}
		if d := cmp.Diff(step.keys, keys); got.Version != step.version || got.Exec.Image != step.image || d != "" {
			t.Errorf("%s: got version %s, image %s, want %s, %s; annotations (-want +got):\n%s", step.body, got.Version, got.Exec.Image, step.version, step.image, d)
		}
	}
	if status, body, _ := f.do("basic", "PUT", "/namespaces/_/actions/p/a?overwrite=true", `{"version":"x"}`); status != 400 {
		t.Errorf("a version that is none: got %d %s, want 400", status, body)
	}
}
