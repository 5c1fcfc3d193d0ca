//go:build unix

// Package races runs built binaries concurrently on the same resources. The binaries contain the race detector; its
// reports fail the test (cloud.Finish, harness.NoRaces).
package races

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

var write = flag.Bool("write", false, "write the counts to docs/reliability.md")

// runConcurrently runs command lines concurrently and returns their results in order.
func runConcurrently(t *testing.T, u *cloud.Client, lines ...string) []cloud.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	answers := make([]cloud.Result, len(lines))
	var wg sync.WaitGroup
	for i, line := range lines {
		wg.Go(func() { answers[i] = u.Binary(ctx, t, line+" --output json") })
	}
	wg.Wait()
	return answers
}

// checkErrorCode checks that a command succeeded, or that it reports one of the allowed errors with a cause and a fix.
func checkErrorCode(t *testing.T, a cloud.Result, codes ...string) {
	t.Helper()
	if a.Status == 0 {
		return
	}
	var doc struct {
		Error struct{ Message, Recovery, Code string }
	}
	if err := json.Unmarshal([]byte(a.Out), &doc); err != nil || a.Status != 1 || doc.Error.Message == "" || doc.Error.Recovery == "" {
		t.Errorf("neither success nor an allowed error: %v\n%s", err, a)
		return
	}
	if slices.Contains(codes, doc.Error.Code) {
		return
	}
	t.Errorf("this race must not end like this: %s", a)
}

// checkState checks the state after a race: no metadata without an action, and no leftover files in the cache. It
// returns the names of the stored items.
func checkState(t *testing.T, u *cloud.Client) []string {
	t.Helper()
	if list, err := u.Cloud.Orphans(); err != nil || len(list) > 0 {
		t.Errorf("metadata without action: %v %v", list, err)
	}
	_ = filepath.WalkDir(filepath.Join(u.Home, ".lithops", "cache"), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") && !d.IsDir() {
			t.Errorf("left: %s", path)
		}
		return nil
	})
	state, err := u.Cloud.State(u.Home)
	if err != nil {
		t.Error(err)
	}
	return state
}

func repeat(line string, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = line
	}
	return lines
}

func newClient(t *testing.T) *cloud.Client { return newClientOf(t, "openwhisk") }

func newClientOf(t *testing.T, backend string) *cloud.Client {
	t.Helper()
	u := cloud.Open(t, t.TempDir(), nil).NewClient(t, backend, cloud.Lithops(t, "a = 1\n"))
	if backend != "openwhisk" {
		u.Login(t)
	}
	u.Bin = harness.RaceBinary(t)
	return u
}

// Commands that deploy to Code Engine at the same time share the config map with the code, and the metadata of every
// size.
func TestDeploysToCodeEngineAtOnce(t *testing.T) {
	alone := newClientOf(t, "code_engine")
	if a := alone.Binary(t.Context(), t, "deploy me/img:1 -m 256,512"); a.Status != 0 {
		t.Fatal(a)
	}
	want := checkState(t, alone)
	u := newClientOf(t, "code_engine")
	for _, a := range runConcurrently(t, u, repeat("deploy me/img:1 -m 256,512", 8)...) {
		checkErrorCode(t, a)
	}
	if got := checkState(t, u); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("eight leave\n%s\none leaves\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, a := range runConcurrently(t, u, "deploy me/img:1 -m 512 --force", "delete me/img:1 -m 512 -f", "deploy me/img:1", "delete me/img:1 -f", "delete all -f") {
		checkErrorCode(t, a, "conflict", "not_found")
	}
	checkState(t, u)
	if a := u.Binary(t.Context(), t, "deploy me/img:1 -m 256,512"); a.Status != 0 {
		t.Errorf("the next deploy: %s", a)
	}
	if got := checkState(t, u); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("after a race with delete there is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTwentyDeploysOfTheSame(t *testing.T) {
	alone := newClient(t)
	if a := alone.Binary(t.Context(), t, "deploy me/img:1 -m 256,512"); a.Status != 0 {
		t.Fatal(a)
	}
	want := checkState(t, alone)
	u := newClient(t)
	for _, a := range runConcurrently(t, u, repeat("deploy me/img:1 -m 256,512", 20)...) {
		checkErrorCode(t, a)
	}
	if got := checkState(t, u); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("twenty leave\n%s\none leaves\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	figure(t, "Races: concurrent deployments of one runtime", 20)
}

func TestConcurrentDeployAndDelete(t *testing.T) {
	rounds := 3
	if *write {
		rounds = 12
	}
	for range rounds {
		u := newClient(t)
		if a := u.Binary(t.Context(), t, "deploy me/img:1"); a.Status != 0 {
			t.Fatal(a)
		}
		answers := runConcurrently(t, u, "deploy me/img:1 --force", "delete me/img:1 -f", "deploy me/img:1", "delete me/img:1 -f", "update all --force", "delete all -f")
		for _, a := range answers {
			checkErrorCode(t, a, "conflict", "not_found")
		}
		checkState(t, u)
		if a := u.Binary(t.Context(), t, "deploy me/img:1"); a.Status != 0 {
			t.Errorf("the next deploy: %s", a)
		}
		if state := checkState(t, u); len(state) != 4 { // package, action, object, cache
			t.Errorf("after the next deploy: %v", state)
		}
		u.Cloud.Close()
	}
	figure(t, "Races: rounds of concurrent deploy and delete", rounds)
}

func TestTwoCleans(t *testing.T) {
	u := newClient(t)
	if a := u.Binary(t.Context(), t, "deploy me/img:1 -m 256,512"); a.Status != 0 {
		t.Fatal(a)
	}
	for _, a := range runConcurrently(t, u, "clean -f", "clean -f", "clean -f") {
		checkErrorCode(t, a)
	}
	if state := checkState(t, u); len(state) != 0 {
		t.Errorf("left: %v", state)
	}
}

// Two concurrent starts of the local endpoint start one endpoint, and two concurrent stops end it.
func TestTwoLocalStarts(t *testing.T) {
	s := harness.NewStage(t)
	s.Bin = harness.RaceBinary(t)
	defer harness.NoRaces(t, "", filepath.Join(s.LocalDir(), "stderr.log"))
	python, ok := harness.FindPython("3.11")
	if !ok {
		python = harness.Python(t, "3.12")
	}
	var mu sync.Mutex
	pids := map[int]int{}
	side := func(work func()) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(work)
		}
		wg.Wait()
	}
	side(func() {
		r := s.Try(time.Minute, s.Bin, "local", "start", "--python", python, "--output", "json")
		harness.NoRaces(t, r.Stderr)
		var doc struct {
			PID int `json:"pid"`
		}
		if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code != 0 {
			t.Errorf("start: %v, status %d\n%s%s", err, r.Code, r.Stdout, r.Stderr)
		}
		mu.Lock()
		pids[doc.PID]++
		mu.Unlock()
	})
	if len(pids) != 1 {
		t.Errorf("endpoints: %v", pids)
	}
	side(func() {
		if r := s.Try(time.Minute, s.Bin, "local", "stop"); r.Code != 0 {
			t.Errorf("stop: status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	})
	for pid := range pids {
		// It has closed everything, but the process may not have exited yet.
		runtimetest.Eventually(t, fmt.Sprintf("process %d has ended", pid), func() bool { return !runs(pid) })
	}
}

func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func figure(t *testing.T, name string, n int) {
	t.Helper()
	if *write && !t.Failed() {
		harness.Figure(t, name, fmt.Sprint(n))
	}
}
