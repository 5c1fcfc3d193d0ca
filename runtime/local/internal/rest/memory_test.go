package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/local/internal/spool"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/runtimetest"
)

// Small requests that read large actions or packages need a slot, so that many concurrent requests do not exhaust the
// memory.
func TestReadsOfLargeEntitiesNeedSlots(t *testing.T) {
	f := serve(t)
	f.deployActions("a")
	for range cap(f.api.api.slotPool) {
		f.api.api.slotPool <- struct{}{}
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
			t.Errorf("%s %s: got %v, %v without a free slot", c.method, c.path, resp.Status, err)
			_ = resp.Body.Close()
		}
		cancel()
	}
	for range cap(f.api.api.slotPool) {
		<-f.api.api.slotPool
	}
	if x, err := f.db.Action(testGUID, "p", "a"); err != nil || x.MemoryMB == 512 {
		t.Errorf("the action has changed: %+v, %v", x, err)
	}
}

// A package with large actions is shown with all of them, and can be deleted.
func TestPackageWithLargeActions(t *testing.T) {
	f := serve(t)
	f.deployActions("a", "b")
	status, body, _ := f.do("bearer", "GET", "/namespaces/_/packages/p", "")
	if status != 200 || strings.Count(body, `"name":`) != 3 || !strings.Contains(body, `"feeds":[],"actions":[{"name":"`) || !strings.HasSuffix(body, "]}") {
		t.Error(status, body)
	}
	if status, body, _ := f.do("bearer", "POST", "/namespaces", `{"name":"n","description":"`+strings.Repeat("x", spool.InMemory)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a namespace with a long description: %d %s", status, body)
	}
	if status, body, _ := f.do("bearer", "DELETE", "/namespaces/_/packages/p?force=true", ""); status != 200 {
		t.Error(status, body)
	}
	if _, err := f.db.Action(testGUID, "p", "a"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the action still exists: %v", err)
	}
}

// At most 64 MiB of outcomes wait for the disk.
func TestUnwrittenOutcomesAreBounded(t *testing.T) {
	f := serve(t)
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	a := f.api.api
	var wg sync.WaitGroup
	for range 300 {
		rec := state.Activation{Result: json.RawMessage(`{}`), Logs: []string{strings.Repeat("x", 1<<20)}}
		wg.Go(func() { a.recordLater(rec, state.ErrFull) })
	}
	runtimetest.Eventually(t, "the memory for unwritten outcomes is used up", func() bool {
		free := a.unwrittenBytes.TryAcquire(1 << 20)
		if free {
			a.unwrittenBytes.Release(1 << 20)
		}
		return !free
	})
	runtimetest.Eventually(t, "300 waiting outcomes of 1 MiB use less than 150 MiB", func() bool {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc < 150<<20
	})
	f.api.Close(t.Context())
	wg.Wait()
}
