//go:build unix

package races

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fn-runtime/runtime/local/invoke"
)

// TestProcessesThatWriteTheCache runs processes that write the same file and different files of one cache, with content
// of different lengths. Meanwhile another process reads the files as the Lithops client does, and every read must
// return a complete document.
func TestProcessesThatWriteTheCache(t *testing.T) {
	u := newClient(t)
	var calls atomic.Int64
	u.Cloud.Metadata = func(invoke.Invocation) (invoke.Outcome, error) {
		modules := strings.Repeat(`["a_module_with_a_name",false],`, int(calls.Add(1)%7)*400)
		return invoke.Outcome{Status: invoke.Success, RunMS: 1,
			Result: json.RawMessage(`{"preinstalls":[` + modules + `["os",false]],"python_version":"3.11","lithops_version":"3.7.0"}`)}, nil
	}
	if a := u.Binary(t.Context(), t, "deploy me/img:1"); a.Status != 0 {
		t.Fatal(a)
	}
	lines := []string{"deploy me/img:2", "deploy me/img:3", "doctor --repair", "list"}
	lines = append(lines, repeat("update me/img:1 --force", 10)...)
	done := make(chan struct{})
	var reader sync.WaitGroup
	reads := 0
	reader.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			reads += documents(t, u.Home)
		}
	})
	for _, a := range runConcurrently(t, u, lines...) {
		checkErrorCode(t, a, "conflict")
	}
	close(done)
	reader.Wait()
	if reads < 10 {
		t.Errorf("only %d documents were read meanwhile", reads)
	}
	if n := documents(t, u.Home); n < 3 {
		t.Errorf("%d documents in the home", n)
	}
	for i := range 3 {
		if a := u.Binary(t.Context(), t, fmt.Sprintf("deploy me/img:%d", i+1)); a.Status != 0 {
			t.Errorf("the next deploy: %s", a)
		}
	}
	state := checkState(t, u)
	if len(state) != 10 { // a package, and of each runtime action, object and cached copy
		t.Errorf("after the next deploy: %v", state)
	}
	for _, line := range state {
		if copied, ok := strings.CutPrefix(line, "cache "); ok && !slices.Contains(state, "object "+copied) {
			t.Errorf("the cache differs from the store:\n%s", strings.Join(state, "\n"))
		}
	}
	figure(t, "Races: processes that write to one cache", len(lines))
}

// documents checks every JSON document below a home and returns their number.
func documents(t *testing.T, home string) (n int) {
	_ = filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return nil // removed in the meantime
		}
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		n++
		if err != nil || !json.Valid(data) {
			t.Errorf("%s is not whole: %d bytes, %v", path, len(data), err)
		}
		return nil
	})
	return n
}
