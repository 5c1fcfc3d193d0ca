//go:build unix

package faults

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

// TestKill kills the built binary at every request of every changing command, before the server receives it or after it
// has processed it; with -full, both. Afterwards there is no metadata without an action, the next run reaches the
// correct state, and the home directory contains no files that an undisturbed run would not leave.
func TestKill(t *testing.T) {
	needEngine(t)
	lithops, other := cloud.Lithops(t, "a = 1\n"), cloud.Lithops(t, "a = 2\n")
	harness.Binary(t)
	harness.NoContainers(t)
	tried, converged := 0, 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for _, st := range stories() {
		if st.reads || !strings.Contains(st.name, *only) {
			continue
		}
		s := newStage(t, st, lithops, other)
		a := s.Binary(t.Context(), t, st.line)
		if a.Status != 0 {
			t.Fatalf("%s: %s", st.name, a)
		}
		want, files, requests := actualState(t, s), listing(t, s), 0
		for _, p := range s.Cloud.Proxies {
			requests += len(p.Record())
		}
		s.Cloud.Close()
		for n := 1; n <= requests; n++ {
			for _, late := range []bool{false, true} {
				if !*full && late != (n%2 == 0) {
					continue // sample: alternately before the server receives a request and after it has processed it
				}
				slots <- struct{}{}
				wg.Go(func() {
					defer func() { <-slots }()
					trouble := killAt(t, st, n, late, want, files, lithops, other)
					mu.Lock()
					defer mu.Unlock()
					tried++
					if len(trouble) == 0 {
						converged++
						return
					}
					t.Errorf("%s, killed at request %d of %d (late %v):\n    %s", st.name, n, requests, late, strings.Join(trouble, "\n    "))
				})
			}
		}
	}
	wg.Wait()
	t.Logf("%d kills tried, %d converged", tried, converged)
	if *write && !t.Failed() {
		harness.Figure(t, "Crashes: commands killed at a request", fmt.Sprint(tried))
		harness.Figure(t, "Crashes: next run converged, no leftover files", fmt.Sprint(converged))
	}
}

func newStage(t *testing.T, st story, lithops, other string) *stage {
	t.Helper()
	s, err := st.setUp(t, lithops, other)
	if err != nil {
		t.Fatalf("%s: %v", st.name, err)
	}
	return s
}

func killAt(t *testing.T, st story, n int, late bool, want, files []string, lithops, other string) (trouble []string) {
	wrong := func(format string, args ...any) { trouble = append(trouble, fmt.Sprintf(format, args...)) }
	s, err := st.setUp(t, lithops, other)
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Cloud.Close()
	cmd := s.Command(t, st.line)
	var mu sync.Mutex // locked until the process has started
	mu.Lock()
	seen := 0
	for _, p := range s.Cloud.Proxies {
		p.Inject(func(proxy.Request) proxy.Fault {
			mu.Lock()
			defer mu.Unlock()
			if seen++; seen == n {
				return kill(cmd, late)
			}
			return nil
		})
	}
	err = cmd.Start()
	mu.Unlock()
	if err != nil {
		return []string{err.Error()}
	}
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	timer.Stop()
	for _, p := range s.Cloud.Proxies {
		p.Inject(nil)
	}
	if status := cmd.ProcessState.String(); status != "signal: killed" {
		wrong("it was not killed: %s", status)
	}
	if list, err := s.Cloud.Orphans(); !st.orphans && (err != nil || len(list) > 0) {
		wrong("metadata without action: %v %v", list, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := s.Binary(ctx, t, st.line)
	if again.Status != 0 && (!st.gone || !strings.Contains(again.Err, "not deployed") && !strings.Contains(again.Err, "but not with")) {
		wrong("the next run: %s", again)
	}
	if got := actualState(t, s); !slices.Equal(got, want) {
		wrong("after the next run there is\n        %s\n      instead of\n        %s", strings.Join(got, "\n        "), strings.Join(want, "\n        "))
	}
	if got := listing(t, s); !slices.Equal(got, files) {
		wrong("the home holds\n        %s\n      instead of\n        %s", strings.Join(got, "\n        "), strings.Join(files, "\n        "))
	}
	if left := harness.Processes(s.Home); len(left) > 0 {
		wrong("processes are left: %v", left)
	}
	return trouble
}

// kill kills the command when it sends a request. If late is true, the server processes the request first. On a
// connection that is upgraded to another protocol, kill does not wait for the end.
func kill(cmd *exec.Cmd, late bool) proxy.Fault {
	return func(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
		if late && r.Header.Get("Upgrade") == "" {
			forward.ServeHTTP(httptest.NewRecorder(), r)
		}
		_ = cmd.Process.Kill()
		panic(http.ErrAbortHandler)
	}
}

// listing returns the names of all files and directories below a home directory.
func listing(t *testing.T, s *stage) (all []string) {
	err := filepath.WalkDir(s.Home, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != s.Home {
			name, _ := filepath.Rel(s.Home, path)
			all = append(all, s.Cloud.Normalize(name))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return all
}
