//go:build linux

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// invocations is the maximum number of activations in total. The endpoint keeps the newest 10,000, and the test must
// find every activation at the end.
const invocations = 9000

// held is the number of objects that each writer keeps at a time.
const held = 40

const action = `{"exec":{"kind":"python:3","code":"import time\ndef main(args):\n    time.sleep(args.get('s', 0))\n    return {'n': args['n']}"},"limits":{"memory":128,"timeout":60000}}`

const manifest = `runtimes:
  - image: soak/declared-a:1
    memory: [128, 256]
  - image: soak/declared-b:1
`

const job = `import lithops
def double(x): return x * 2
with lithops.FunctionExecutor(log_level='ERROR') as ex:
    ex.map(double, range(12))
    got = ex.get_result()
assert got == [2 * x for x in range(12)], got
`

// counts holds the numbers of completed operations.
type counts struct {
	commands, jobs, activations, objects, lost int
	kept                                       int64 // total size of the remaining objects, in bytes
}

// work is the load on the endpoint.
type work struct {
	t      *testing.T
	s      *harness.Stage
	e      *harness.EndpointClient
	python string
	file   string // for apply
	script string // for the job

	mu          sync.Mutex
	count       counts
	activations map[string]string // ID -> the n that was passed
	objects     map[string]string // key -> content
}

func newWork(t *testing.T, s *harness.Stage, e *harness.EndpointClient, python string) *work {
	t.Helper()
	w := &work{t: t, s: s, e: e, python: python, activations: map[string]string{}, objects: map[string]string{}}
	put(t, s, ".lithops/config", s.FnRuntime("lithops-config", "-b", "local", "--show-secrets", "-q").Stdout)
	w.file, w.script = put(t, s, "work/runtimes.yaml", manifest), put(t, s, "work/job.py", job)
	if status, body := e.Do("PUT", e.API("/actions/work?overwrite=true"), action); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	return w
}

// run works until ctx ends.
func (w *work) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { w.commands(ctx) })
	for n := range 3 {
		wg.Go(func() { w.invoke(ctx, n) })
		wg.Go(func() { w.store(ctx, n) })
	}
	wg.Wait()
}

// commands repeatedly runs all commands of the binary, and a job in between.
func (w *work) commands(ctx context.Context) {
	for round := 0; ; round++ {
		for _, line := range []string{
			"deploy default -m 256", "deploy soak/one:1 -m 128,256", "list", "show soak/one:1", "JOB", "update soak/one:1 --force",
			"invoke soak/one:1 -m 128 -n 2", "apply " + w.file, "deploy soak/one:1 -m 128,256", "delete soak/one:1 -f",
			"apply " + w.file + " --prune -f", "doctor", "local status", "clean -f", "list",
		} {
			if ctx.Err() != nil {
				return
			}
			if line == "JOB" {
				if round%3 == 0 {
					w.tally(func(c *counts) { c.jobs++ })
					w.command(w.python, w.script)
				}
				continue
			}
			args := strings.Fields(line)
			if args[0] != "local" {
				args = append(args, "-b", "local")
			}
			w.tally(func(c *counts) { c.commands++ })
			w.command(w.s.Bin, args...)
		}
	}
}

func (w *work) command(name string, args ...string) {
	r := w.s.Try(2*time.Minute, name, args...)
	if r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "panic:") {
		w.t.Errorf("%s: status %d\n%s%s", strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
}

func (w *work) tally(change func(*counts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.count)
}

// invoke invokes actions, mostly without waiting, at a rate that spreads the invocations over the run.
func (w *work) invoke(ctx context.Context, n int) {
	pause := time.NewTicker(max(150*time.Millisecond, *length*3/invocations))
	defer pause.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		number := fmt.Sprint(n*1_000_000 + i)
		path := "/actions/work"
		if i%10 == 0 {
			path += "?blocking=true"
		}
		status, body := w.e.Do("POST", w.e.API(path), fmt.Sprintf(`{"n":%s,"s":%g}`, number, float64(i%5)/100))
		var doc struct{ ActivationID string }
		if err := json.Unmarshal(body, &doc); err != nil || doc.ActivationID == "" || status != http.StatusOK && status != http.StatusAccepted {
			w.t.Errorf("invocation: status %d, %.200s", status, body)
			continue
		}
		w.mu.Lock()
		w.count.activations++
		w.activations[doc.ActivationID] = number
		w.mu.Unlock()
	}
}

// store puts, reads, lists and deletes objects of all sizes.
func (w *work) store(ctx context.Context, n int) {
	name := func(i int) string { return fmt.Sprintf("soak/%d/%d", n, i) }
	path := "/" + w.e.Bucket + "/"
	for i := 0; ctx.Err() == nil; i++ {
		key := name(i)
		text := strings.Repeat(key+" ", []int{1, 50, 500, 20_000}[i%4])
		if status, body := w.e.Do("PUT", path+key, text); status != http.StatusOK {
			w.t.Errorf("PUT %s: status %d, %.200s", key, status, body)
			return
		}
		w.mu.Lock()
		w.objects[key] = text
		w.count.objects++
		w.mu.Unlock()
		w.read(key, text)
		if i%10 == 0 {
			if status, body := w.e.Do("GET", fmt.Sprintf("/%s?list-type=2&prefix=soak/%d/", w.e.Bucket, n), ""); status != http.StatusOK || !strings.Contains(string(body), key) {
				w.t.Errorf("list: status %d without %s", status, key)
			}
			w.tally(func(c *counts) { c.objects++ })
		}
		if i >= held {
			w.remove(name(i - held))
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *work) read(key, text string) {
	status, body := w.e.Do("GET", "/"+w.e.Bucket+"/"+key, "")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count.objects++
	if status != http.StatusOK || string(body) != text {
		w.count.lost++
		w.t.Errorf("GET %s: status %d, %d bytes of %d", key, status, len(body), len(text))
	}
}

func (w *work) remove(key string) {
	if status, body := w.e.Do("DELETE", "/"+w.e.Bucket+"/"+key, ""); status != http.StatusNoContent {
		w.t.Errorf("DELETE %s: status %d, %.200s", key, status, body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count.objects++
	delete(w.objects, key)
}
