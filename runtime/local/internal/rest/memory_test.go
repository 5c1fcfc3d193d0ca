package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// TestSmallRequestsForLargeThingsTakeTurns: what an action or a package has of its own may have megabytes, and a crowd asks
// for it with requests that have none.
func TestSmallRequestsForLargeThingsTakeTurns(t *testing.T) {
	f := serve(t)
	f.furnish("a")
	for range turns {
		f.api.api.turns <- struct{}{}
	}
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/namespaces/_/actions/p/a", "{}"},
		{"PUT", "/namespaces/_/actions/p/a?overwrite=true", `{"limits":{"memory":512}}`},
		{"PUT", "/namespaces/_/packages/p?overwrite=true", "{}"},
		{"GET", "/namespaces/_/packages/p", ""},
		{"DELETE", "/namespaces/_/packages/p?force=true", ""},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, c.method, f.URL+"/api/v1"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Content-Type", "application/json")
		resp, err := f.Client().Do(r)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s %s: got %v, %v without a turn", c.method, c.path, resp.Status, err)
			_ = resp.Body.Close()
		}
		cancel()
	}
	for range turns {
		<-f.api.api.turns
	}
	if x, err := f.db.Action(testGUID, "p", "a"); err != nil || x.MemoryMB == 512 {
		t.Errorf("the action has changed: %+v, %v", x, err)
	}
}

// TestAPackageOfLargeActions is shown with all of them, in a file when they are large, and removed.
func TestAPackageOfLargeActions(t *testing.T) {
	f := serve(t)
	f.furnish("a", "b")
	status, body, _ := f.do("bearer", "GET", "/namespaces/_/packages/p", "")
	if status != 200 || strings.Count(body, `"name":`) != 3 || !strings.Contains(body, `"feeds":[],"actions":[{"name":"b"`) || !strings.HasSuffix(body, "]}") {
		t.Error(status, body)
	}
	if status, body, _ := f.do("bearer", "POST", "/namespaces", `{"name":"n","description":"`+strings.Repeat("x", inMemory)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a namespace with a long description: %d %s", status, body)
	}
	if status, body, _ := f.do("bearer", "DELETE", "/namespaces/_/packages/p?force=true", ""); status != 200 {
		t.Error(status, body)
	}
	if _, err := f.db.Action(testGUID, "p", "a"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the action is still there: %v", err)
	}
}
