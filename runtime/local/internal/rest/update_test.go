package rest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An update merges annotations, removes the digest of an image and sets the version, as in the recorded responses of
// Apache OpenWhisk.
func TestUpdateActionLikeOpenWhisk(t *testing.T) {
	f := serve(t)
	f.deployActions()
	type action struct {
		Version     string
		Exec        struct{ Image string }
		Annotations []struct{ Key string }
	}
	for _, step := range []struct {
		body, version, image string
		keys                 []string
	}{
		{`{"exec":{"kind":"blackbox","image":"me/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"annotations":[{"key":"lithops","value":"x"}]}`, "0.0.1", "me/x", []string{"provide-api-key", "exec", "lithops"}},
		{`{"annotations":[{"key":"z","value":"y"}]}`, "0.0.2", "me/x", []string{"provide-api-key", "exec", "lithops", "z"}},
		{`{"exec":{"kind":"blackbox","image":"docker.io/me/x:1.0@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"delAnnotations":["lithops","no"]}`, "0.0.3", "docker.io/me/x:1.0", []string{"provide-api-key", "exec", "z"}},
		{`{"version":"1.0"}`, "1.0.0", "docker.io/me/x:1.0", []string{"provide-api-key", "exec", "z"}},
		{`{"version":"1.2.3"}`, "1.2.3", "docker.io/me/x:1.0", []string{"provide-api-key", "exec", "z"}},
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
	for _, version := range []string{"x", "1.2.3.4", "0", "1..2", "-1"} {
		if status, body, _ := f.do("basic", "PUT", "/namespaces/_/actions/p/a?overwrite=true", `{"version":"`+version+`"}`); status != 400 {
			t.Errorf("invalid version %s: got %d %s, want 400", version, status, body)
		}
	}
}

// An action receives the API key only with the annotation provide-api-key, and a log limit of 0 discards its logs.
func TestAPIKeyAnnotationAndLogLimit(t *testing.T) {
	f := serve(t)
	f.deployActions("crash")
	for _, step := range []struct{ body, key, logs string }{
		{`{}`, "", `{"logs":["2026-01-01T00:00:00Z stderr: boom"]}`},
		{`{"annotations":[{"key":"provide-api-key","value":true}],"limits":{"logs":0}}`, testKey, `{"logs":[]}`},
	} {
		f.do("basic", "PUT", "/namespaces/_/actions/p/crash?overwrite=true", step.body)
		_, _, h := f.do("basic", "POST", "/namespaces/_/actions/p/crash?blocking=true", "{}")
		_, logs, _ := f.do("basic", "GET", "/namespaces/_/activations/"+h.Get("X-Openwhisk-Activation-Id")+"/logs", "")
		if key := f.invoker.seen[len(f.invoker.seen)-1].APIKey; key != step.key || logs != step.logs {
			t.Errorf("%s: the action received the key %q and its logs are %s, want %q and %s", step.body, key, logs, step.key, step.logs)
		}
	}
}
