package invoker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/local/invoke"
)

func newProcess(t *testing.T, o Options) *Invoker {
	t.Helper()
	o.Kind, o.Dir = Process, filepath.Join(t.TempDir(), "workers")
	v, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(o.Dir); err == nil {
			t.Error("the directory still exists after Close")
		}
	})
	return v
}

func action(code string) invoke.Invocation {
	return invoke.Invocation{ActivationID: "0123456789abcdef0123456789abcdef", Namespace: "guest", Package: "p", Action: "a", Version: "0.0.1",
		Revision: code, Code: func() (string, error) { return code, nil }, MemoryMB: 256, TimeoutMS: 20000,
		Args: json.RawMessage(`{"n": 1}`), APIKey: "id:key", APIHost: "https://127.0.0.1:1"}
}

func mustRun(t *testing.T, v *Invoker, inv invoke.Invocation) invoke.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	o, err := v.Run(ctx, inv)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutcomes(t *testing.T) {
	v := newProcess(t, Options{})
	limit := func(ms int) func(*invoke.Invocation) { return func(i *invoke.Invocation) { i.TimeoutMS = ms } }
	for _, c := range []struct {
		name, code string
		change     func(*invoke.Invocation)
		status     invoke.Status
		result     string
		log        string // part of the log
	}{
		{"success", "def main(a):\n print('hello')\n return {'n': a['n'] + 1}", nil, invoke.Success, `{"n": 2}`, " stdout: hello"},
		{"no line end", "import sys\ndef main(a):\n sys.stderr.write('half')\n return {}", nil, invoke.Success, `{}`, " stderr: half"},
		{"environment variables", "import os\ndef main(a):\n return {k: os.environ['__OW_' + k] for k in ('ACTION_NAME', 'API_KEY', 'API_HOST')}", nil, invoke.Success,
			`{"ACTION_NAME": "/guest/p/a", "API_KEY": "id:key", "API_HOST": "https://127.0.0.1:1"}`, ""},
		{"deadline", "import os, time\ndef main(a):\n return {'left': round(int(os.environ['__OW_DEADLINE']) / 1000 - time.time())}", nil, invoke.Success, `{"left": 20}`, ""},
		{"returned error", "def main(a):\n return {'error': {'why': 1}, 'x': 2}", nil, invoke.ApplicationError, `{"error":{"why":1}}`, ""},
		{"exception", "def main(a):\n raise ValueError('boom')", nil, invoke.DeveloperError, `{"error":"ValueError: boom"}`, "stderr: ValueError: boom"},
		{"no dictionary", "def main(a):\n return 1", nil, invoke.DeveloperError, `{"error":"The action did not return a dictionary."}`, ""},
		{"init error", "import nothing_of_that_name", nil, invoke.DeveloperError, `{"error":"The action failed to generate or locate a binary. See logs for details."}`, "No module named 'nothing_of_that_name'"},
		{"init crash", "import os\nos._exit(3)", nil, invoke.DeveloperError, `{"error":"` + abnormalInit + `"}`, "exited with status 3"},
		{"crash", "import os\ndef main(a):\n print('last words')\n os.kill(os.getpid(), 11)", nil, invoke.DeveloperError, `{"error":"` + abnormalRun + `"}`, "killed by signal 11"},
		{"timeout", "import time\ndef main(a):\n print('begun')\n time.sleep(60)", limit(700), invoke.DeveloperError, `{"error":"The action exceeded its time limits of 700 milliseconds."}`, "stdout: begun"},
		{"init timeout", "import time\ntime.sleep(60)", limit(700), invoke.DeveloperError, `{"error":"The action exceeded its time limits of 700 milliseconds during initialization."}`, ""},
		{"out of memory", "import time\ndef main(a):\n x = bytearray(400 << 20)\n time.sleep(60)", nil, invoke.DeveloperError, `{"error":"` + memoryExhausted + `"}`, "its limit is 256 MB"},
		{"child out of memory", "import multiprocessing as mp, time\ndef f():\n x = b'x' * (400 << 20); time.sleep(60)\ndef main(a):\n p = mp.get_context('fork').Process(target=f); p.start(); p.join(); return {'code': p.exitcode}",
			nil, invoke.Success, `{"code": -9}`, "its largest process was killed"},
		{"shared memory is counted once", "import multiprocessing as mp, time\nx = b'x' * (150 << 20)\ndef main(a):\n p = mp.get_context('fork').Process(target=time.sleep, args=(0.5,)); p.start(); p.join(); return {'code': p.exitcode}",
			nil, invoke.Success, `{"code": 0}`, ""},
		{"result too large", "def main(a):\n return {'x': 'y' * (1 << 20)}", nil, invoke.ApplicationError,
			`{"error":"The action produced a response that exceeded the allowed length: 1048585 \u003e 1048576 bytes. The truncated response was: {\"x\": \"` + strings.Repeat("y", 993) + `"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := action(c.code)
			if c.change != nil {
				c.change(&inv)
			}
			o := mustRun(t, v, inv)
			if o.Status != c.status || c.result != "" && string(o.Result) != c.result {
				t.Errorf("%s %s\n%s", o.Status, o.Result, strings.Join(o.Logs, "\n"))
			}
			if !o.Cold || o.InitMS < 1 {
				t.Errorf("cold %v, init %d ms", o.Cold, o.InitMS)
			}
			log := strings.Join(o.Logs, "\n")
			if !strings.Contains(log, c.log) || strings.Contains(log, "XXX_THE_END") {
				t.Error(log)
			}
			for _, line := range o.Logs {
				if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z std(out|err): `).MatchString(line) {
					t.Error(line)
				}
			}
		})
	}
}

func TestWarm(t *testing.T) {
	v := newProcess(t, Options{})
	one := action("n = 0\ndef main(a):\n global n; n += 1; print(n); return {'n': n}")
	for i := 1; i <= 3; i++ {
		o := mustRun(t, v, one)
		if want := fmt.Sprintf(`{"n": %d}`, i); string(o.Result) != want || o.Cold != (i == 1) || len(o.Logs) != 1 || (o.InitMS == 0) != (i > 1) {
			t.Errorf("run %d: %s %v", i, o.Result, o.Logs)
		}
	}
	other := one
	other.MemoryMB = 128
	if o := mustRun(t, v, other); !o.Cold {
		t.Error("a worker with another memory limit was used")
	}
	other = one
	other.Revision = "changed"
	if o := mustRun(t, v, other); !o.Cold {
		t.Error("a worker of another revision was used")
	}
}

func TestIdleWorkerThatEndedIsNotUsed(t *testing.T) {
	v := newProcess(t, Options{})
	one := action("import os, threading\ndef main(a):\n threading.Timer(0.05, os._exit, (1,)).start(); return {'pid': os.getpid()}")
	mustRun(t, v, one)
	v.pool.mu.Lock()
	w := v.pool.idle.Front().Value.(*worker)
	v.pool.mu.Unlock()
	<-w.sandbox.Done()
	if o := mustRun(t, v, one); !o.Cold || o.Status != invoke.Success {
		t.Errorf("got %+v, want a cold start and success", o)
	}
}

func TestQueue(t *testing.T) {
	v := newProcess(t, Options{})
	v.pool.processors = 2
	one := action("import time\ndef main(a):\n end = time.monotonic() + 0.05\n while time.monotonic() < end: pass\n return {}")
	var wg sync.WaitGroup
	var mu sync.Mutex
	cold, waited := 0, 0
	for range 10 {
		wg.Go(func() {
			o := mustRun(t, v, one)
			mu.Lock()
			defer mu.Unlock()
			if o.Cold {
				cold++
			}
			if o.WaitMS >= 50 {
				waited++
			}
		})
	}
	wg.Wait()
	if cold > 2 || waited < 6 {
		t.Errorf("%d cold starts, %d waited", cold, waited)
	}
	if o := mustRun(t, v, action("def main(a):\n return {'other': 1}")); o.Status != invoke.Success {
		t.Errorf("got %+v, want success", o)
	}
}

func TestIdleWorkersEnd(t *testing.T) {
	v := newProcess(t, Options{IdleFor: 50 * time.Millisecond})
	o := mustRun(t, v, action("import os\ndef main(a):\n return {'pid': os.getpid()}"))
	awaitGone(t, pidOf(t, o))
}

func TestCancel(t *testing.T) {
	v := newProcess(t, Options{})
	file := filepath.Join(t.TempDir(), "pid")
	inv := action(fmt.Sprintf("import os, time\ndef main(a):\n open(%q, 'w').write(str(os.getpid())); os.rename(%q, %q); time.sleep(60)", file+"~", file+"~", file))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := v.Run(ctx, inv)
		ended <- err
	}()
	pid := awaitPid(t, file)
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
	awaitGone(t, pid)
}

// An action does not inherit the user's secrets, has its own home directory and gets the additional variables.
func TestActionEnvironment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "planted")
	t.Setenv("IBMCLOUD_API_KEY", "planted")
	v := newProcess(t, Options{})
	inv := action("import os\ndef main(a):\n return {'env': dict(os.environ), 'home': os.path.expanduser('~'), 'cwd': os.getcwd()}")
	inv.ExtraEnv = map[string]string{"REQUESTS_CA_BUNDLE": "/ca.pem"}
	o := mustRun(t, v, inv)
	if strings.Contains(string(o.Result), "planted") || !strings.Contains(string(o.Result), "/ca.pem") {
		t.Error(string(o.Result))
	}
	var r struct{ Home, Cwd string }
	if err := json.Unmarshal(o.Result, &r); err != nil || !strings.Contains(r.Home, "workers") || !strings.Contains(r.Cwd, "workers") {
		t.Error(r, err)
	}
}

func TestActionLogLimitTruncatesLogs(t *testing.T) {
	v := newProcess(t, Options{})
	inv := action("def main(a):\n for i in range(3): print('x' * 500_000)\n return {}")
	inv.LogsMB = 1
	want := "stderr: Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes."
	if o := mustRun(t, v, inv); !strings.HasSuffix(o.Logs[len(o.Logs)-1], want) {
		t.Errorf("a log of 1.5 MB with a limit of 1 MB ends with %.100q, want %q", o.Logs[len(o.Logs)-1], want)
	}
}

func TestDefaultLogLimitTruncatesLogs(t *testing.T) {
	v := newProcess(t, Options{})
	o := mustRun(t, v, action("def main(a):\n for i in range(12): print('x' * (1 << 20))\n return {}"))
	if o.Status != invoke.Success || !strings.HasSuffix(o.Logs[len(o.Logs)-1], "stderr: Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes.") {
		t.Error(o.Status, len(o.Logs))
	}
	size := 0
	for _, l := range o.Logs {
		size += len(l)
	}
	if size > 11<<20 {
		t.Error(size)
	}
}

func TestNoPython(t *testing.T) {
	v := newProcess(t, Options{Python: "/nonexistent/python3"})
	o := mustRun(t, v, action("def main(a):\n return {}"))
	if o.Status != invoke.DeveloperError || !strings.Contains(string(o.Result), "/nonexistent/python3") {
		t.Errorf("%s %s", o.Status, o.Result)
	}
}

func BenchmarkWarm(b *testing.B) {
	v, err := New(b.Context(), Options{Kind: Process, Dir: filepath.Join(b.TempDir(), "workers")})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close(context.Background())
	one := action("def main(a):\n return a")
	if _, err := v.Run(b.Context(), one); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		v.Run(b.Context(), one)
	}
}

func BenchmarkCold(b *testing.B) {
	v, err := New(b.Context(), Options{Kind: Process, Dir: filepath.Join(b.TempDir(), "workers")})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close(context.Background())
	n := 0
	for b.Loop() {
		one := action("def main(a):\n return a")
		n++
		one.Revision = fmt.Sprint(n)
		v.Run(b.Context(), one)
	}
}
