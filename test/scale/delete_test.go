package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/test/proxy"
	"fn-runtime/test/schema"
)

type result struct {
	Items []struct {
		Kind, Name, Status, Change string
	}
	Error struct{ Code, Message string }
}

// deletions selects the requests that delete actions.
func deletions(f proxy.Fault) func(proxy.Request) proxy.Fault {
	return func(r proxy.Request) proxy.Fault {
		if r.Method == http.MethodDelete {
			return f
		}
		return nil
	}
}

func TestDeleteAllIsConcurrentAndComplete(t *testing.T) {
	b := newTestbed(t)
	b.copies(100, true)
	g := &gauge{hold: 20 * time.Millisecond, gather: 8}
	b.api.Inject(deletions(g.fault))
	b.Run(2*time.Minute, b.Bin, "delete", "all", "-f", "-q", "-j", "8")
	if n := g.maximum(); n != 8 {
		t.Errorf("-j 8 deleted up to %d at once, want 8", n)
	}
	if a, k := b.actions(), b.keys("lithops.runtimes/"); len(a)+len(k) > 0 || len(b.list()) > 0 {
		t.Errorf("%d actions and %d objects are left", len(a), len(k))
	}
}

// If a service responds with 429, the command sends fewer concurrent requests, and still completes everything.
func TestThrottlingLowersTheConcurrency(t *testing.T) {
	b := newTestbed(t)
	b.copies(100, false)
	var mu sync.Mutex
	var count, now, before, after, seen int
	most := func() int {
		mu.Lock()
		defer mu.Unlock()
		return before
	}
	b.api.Inject(deletions(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		mu.Lock()
		count++
		n := count
		now++
		switch {
		case n <= 32:
			before = max(before, now)
		case n > 48 && seen < 12: // the requests that were in flight at the first 429 have ended
			seen++
			after = max(after, now)
		}
		mu.Unlock()
		defer func() {
			mu.Lock()
			now--
			mu.Unlock()
		}()
		for end := time.Now().Add(time.Minute); most() < 12 && time.Now().Before(end); { // all concurrent requests have arrived
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		if n > 32 && n <= 34 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"error":"Too many requests in the last minute.","code":"x"}`))
			return
		}
		forward.ServeHTTP(w, r)
	}))
	b.Run(3*time.Minute, b.Bin, "delete", "all", "-f", "-q", "-j", "16")
	if left := b.actions(); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
	if before < 12 || after > 11 || seen < 12 {
		t.Errorf("at most %d at once before 429, %d after", before, after)
	}
	t.Logf("at most %d at once before 429, %d after", before, after)
}

// start starts a command of the binary that a test will interrupt.
func (b *testbed) start(out *bytes.Buffer, args ...string) *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(b.Bin, args...)
	cmd.Dir = b.Dir
	cmd.Env = append([]string{"HOME=" + b.Home, "IBMCLOUD_HOME=" + b.Home, "PATH=" + os.Getenv("PATH"), "USER=tester", "IBMCLOUD_COLOR=false"}, b.Env...)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	killed := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	b.t.Cleanup(func() { killed.Stop() })
	return cmd
}

// After Ctrl-C, the command starts no new work, waits for running calls, and reports the deleted runtimes. The next run
// deletes the remaining ones.
func TestInterruptedDeleteReportsWhatIsDone(t *testing.T) {
	b := newTestbed(t)
	b.copies(60, false)
	reached := make(chan struct{})
	g := &gauge{hold: 100 * time.Millisecond, begun: func(n int) {
		if n == 10 {
			close(reached)
		}
	}}
	b.api.Inject(deletions(g.fault))
	var out bytes.Buffer
	cmd := b.start(&out, "delete", "all", "-f", "-j", "4", "--output", "json")
	<-reached
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	(&schema.Check{}).Valid(t, "delete", out.String())
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 || r.Error.Code != "interrupted" {
		t.Errorf("exit %d, %+v", code, r.Error)
	}
	b.reset()
	left := b.actions()
	count := map[string]int{}
	for _, it := range r.Items {
		if it.Kind != "action" {
			continue
		}
		count[it.Status]++
		_, name, _ := strings.Cut(it.Name, "/")
		if gone := !left[name]; gone != (it.Status == "done") {
			t.Errorf("%s is reported as %s, but deleted: %v", name, it.Status, gone)
		}
	}
	if g.count > 10+4 || count["done"] != 61-len(left) || count["skipped"] != len(left) || count["done"] < 10 {
		t.Errorf("%d deletions, statuses %v, %d left", g.count, count, len(left))
	}
	b.orphans()
	b.Run(time.Minute, b.Bin, "delete", "all", "-f", "-q")
	if left := b.actions(); len(left) > 0 {
		t.Errorf("%d are left by the next run", len(left))
	}
}

func TestInterruptedUpdateIsFinishedByTheNextRun(t *testing.T) {
	b := newTestbed(t)
	b.copies(9, true)
	b.api.Inject(nil)
	reached := make(chan struct{})
	puts := 0
	var mu sync.Mutex
	b.api.Inject(func(r proxy.Request) proxy.Fault {
		if r.Method == http.MethodPut {
			mu.Lock()
			defer mu.Unlock()
			if puts++; puts == 3 {
				close(reached)
			}
		}
		return nil
	})
	var out bytes.Buffer
	cmd := b.start(&out, "update", "all", "-j", "2", "--output", "json")
	<-reached
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	(&schema.Check{}).Valid(t, "update", out.String())
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	skipped := 0
	for _, it := range r.Items {
		if it.Kind == "action" && it.Status == "skipped" {
			skipped++
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 || r.Error.Code != "interrupted" || skipped < 5 || puts > 4 {
		t.Errorf("exit %d, %d not tried, %d actions written, %+v", code, skipped, puts, r.Error)
	}
	b.orphans()
	b.reset()
	b.Run(3*time.Minute, b.Bin, "update", "all", "-q")
	for _, e := range b.list() {
		if e.State != "ready" {
			t.Errorf("got %+v, want ready", e)
		}
	}
}

// An interrupted clean reports the remaining objects, and the next run deletes them.
func TestInterruptedCleanIsFinishedByTheNextRun(t *testing.T) {
	b := newTestbed(t)
	b.forAll(2500, func(ctx context.Context, i int) error {
		return b.store.Put(ctx, fmt.Sprintf("lithops.jobs/%04d/status.json", i), []byte("x"))
	})
	b.reset()
	reached := make(chan struct{})
	g := &gauge{hold: 500 * time.Millisecond, begun: func(n int) {
		if n == 1 {
			close(reached)
		}
	}}
	b.s3.Inject(func(r proxy.Request) proxy.Fault {
		if r.Method == http.MethodPost {
			return g.fault
		}
		return nil
	})
	var out bytes.Buffer
	cmd := b.start(&out, "clean", "-f", "--output", "json")
	<-reached
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	(&schema.Check{}).Valid(t, "clean", out.String())
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 || r.Error.Code != "interrupted" {
		t.Errorf("exit %d, %+v", code, r.Error)
	}
	for _, it := range r.Items {
		if it.Status != "done" && it.Status != "skipped" {
			t.Errorf("got %+v, want done or skipped", it)
		}
	}
	b.orphans()
	b.reset()
	b.Run(time.Minute, b.Bin, "clean", "-f", "-q")
	if keys, actions := b.keys("lithops."), b.actions(); len(keys)+len(actions) > 0 {
		t.Errorf("%d objects and %d actions are left", len(keys), len(actions))
	}
}

var counts = regexp.MustCompile(`\d+/61 \(\d+/s\)`)

// Without a terminal, counts and rate are printed as a line every few seconds.
func TestProgressHasCountsAndRate(t *testing.T) {
	b := newTestbed(t)
	b.copies(60, false)
	b.api.Inject(deletions((&gauge{hold: 400 * time.Millisecond}).fault))
	r := b.Run(2*time.Minute, b.Bin, "delete", "all", "-f", "-j", "3")
	if !counts.MatchString(r.Stderr) || strings.Contains(r.Stdout, "/s)") {
		t.Errorf("stdout:\n%s\nstderr:\n%s", r.Stdout, r.Stderr)
	}
}
