// Package containers_test tests the container invoker with a real Docker Engine. bin/test-engine starts the engine;
// without it these tests fail.
package containers_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/runtime/actionproxy"
	"fn-runtime/runtime/local/invoke"
	"fn-runtime/runtime/local/invoker"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

const (
	proxyImage = "fn-runtime-test-containers:proxy" // a base with our action proxy
	otherImage = "fn-runtime-test-containers:other" // the same, but like the proxies of Lithops it ignores the end of its standard input
	emptyImage = "fn-runtime-test-containers:empty" // an image whose program is not a proxy
)

var world struct {
	base string
	api  *client.Client
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("CONTAINERS_TEST_DIR") != "" { // the process that TestKilledEndpoint kills
		return m.Run()
	}
	e, err := harness.StartEngine()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	world.base = e.Base
	if world.api, err = client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation()); err == nil {
		defer world.api.Close()
		defer remove(proxyImage, otherImage, emptyImage)
		err = makeImage(proxyImage, `CMD ["python3", "/actionproxy.py"]`)
	}
	if err == nil {
		err = makeImage(otherImage, `CMD ["env", "-u", "PROXY_LIFELINE", "python3", "/actionproxy.py"]`)
	}
	if err == nil {
		err = makeImage(emptyImage, `CMD ["sh", "-c", "echo no proxy here; exit 3"]`)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func makeImage(name, command string) error {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for file, text := range map[string]string{
		"Dockerfile":     "FROM " + world.base + "\nRUN mkdir /action\nCOPY actionproxy.py /\n" + command + "\n",
		"actionproxy.py": string(actionproxy.Source()),
	} {
		w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(text))})
		io.WriteString(w, text)
	}
	w.Close()
	resp, err := world.api.ImageBuild(context.Background(), &b, build.ImageBuildOptions{Tags: []string{name}, Remove: true, ForceRemove: true})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return jsonmessage.DisplayJSONMessagesStream(resp.Body, io.Discard, 0, false, nil)
}

func remove(names ...string) {
	for _, name := range names {
		world.api.ImageRemove(context.Background(), name, image.RemoveOptions{Force: true})
	}
}

func newInvoker(t *testing.T, o invoker.Options) (*invoker.Invoker, string) {
	t.Helper()
	o.Kind, o.Dir = invoker.Docker, filepath.Join(t.TempDir(), "workers")
	v, err := invoker.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if left := containers(t, o.Dir); len(left) > 0 {
			t.Error("containers are left: ", left)
		}
	})
	return v, o.Dir
}

func containers(t *testing.T, dir string) []container.Summary {
	t.Helper()
	list, err := world.api.ContainerList(context.Background(), container.ListOptions{All: true,
		Filters: filters.NewArgs(filters.Arg("label", "fn-runtime.endpoint="+dir))})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func action(code string) invoke.Invocation {
	return invoke.Invocation{ActivationID: "0123456789abcdef0123456789abcdef", Namespace: "guest", Package: "p", Action: "a", Version: "0.0.1",
		Revision: code, Image: proxyImage, Code: func() (string, error) { return code, nil }, MemoryMB: 256, TimeoutMS: 30000,
		Args: json.RawMessage(`{"n": 1}`)}
}

func mustRun(t *testing.T, v *invoker.Invoker, inv invoke.Invocation) invoke.Outcome {
	t.Helper()
	o, err := v.Run(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutcomes(t *testing.T) {
	v, _ := newInvoker(t, invoker.Options{})
	for _, c := range []struct {
		name, code string
		timeout    int
		status     invoke.Status
		result     string
		log        string
	}{
		{"success", "def main(a):\n print('hello')\n return {'n': a['n'] + 1}", 0, invoke.Success, `{"n": 2}`, " stdout: hello"},
		{"exception", "def main(a):\n raise ValueError('boom')", 0, invoke.DeveloperError, `{"error":"ValueError: boom"}`, "stderr: ValueError: boom"},
		{"init", "import nothing_of_that_name", 0, invoke.DeveloperError, "", "No module named 'nothing_of_that_name'"},
		{"dies", "import os\ndef main(a):\n os._exit(3)", 0, invoke.DeveloperError, `{"error":"The action did not produce a valid response and exited unexpectedly."}`, "exited with status 3"},
		{"too long", "import time\ndef main(a):\n time.sleep(60)", 1500, invoke.DeveloperError, `{"error":"The action exceeded its time limits of 1500 milliseconds."}`, ""},
		{"too much memory", "def main(a):\n x = b'x' * (400 << 20)\n return {}", 0, invoke.DeveloperError, `{"error":"The action exhausted its memory and was aborted."}`, ""},
		{"orphans are collected", "import os, subprocess, time\ndef main(a):\n subprocess.call(['sh', '-c', 'sleep 0.1 &'])\n for _ in range(100):\n  time.sleep(0.5)\n  zombies = sum(') Z ' in open('/proc/%s/stat' % p).read() for p in os.listdir('/proc') if p.isdigit())\n  if not zombies: break\n return {'zombies': zombies}", 0, invoke.Success, `{"zombies": 0}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := action(c.code)
			if c.timeout > 0 {
				inv.TimeoutMS = c.timeout
			}
			o := mustRun(t, v, inv)
			if o.Status != c.status || c.result != "" && string(o.Result) != c.result || !strings.Contains(strings.Join(o.Logs, "\n"), c.log) {
				t.Errorf("%s %s\n%s", o.Status, o.Result, strings.Join(o.Logs, "\n"))
			}
			t.Logf("wait %d ms, init %d ms, run %d ms", o.WaitMS, o.InitMS, o.RunMS)
		})
	}
}

func TestWarmAndPaused(t *testing.T) {
	v, dir := newInvoker(t, invoker.Options{PauseAfter: 50 * time.Millisecond})
	one := action("n = 0\ndef main(a):\n global n; n += 1; return {'n': n}")
	mustRun(t, v, one)
	runtimetest.Eventually(t, "the idle container is paused", func() bool {
		list := containers(t, dir)
		return len(list) == 1 && list[0].State == "paused"
	})
	if o := mustRun(t, v, one); string(o.Result) != `{"n": 2}` || o.Cold {
		t.Errorf("%s %v", o.Result, o)
	}
}

// TestStore checks that an action reaches, on its own loopback, a server that listens only on the bridge's address.
func TestStore(t *testing.T) {
	port := runtimetest.FreePort(t)
	v, _ := newInvoker(t, invoker.Options{Forward: []int{port}})
	address, err := v.BridgeAddress(t.Context())
	if err != nil || address == "" {
		t.Fatal(address, err)
	}
	if !net.ParseIP(address).IsPrivate() {
		t.Error(address)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(port)))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d bytes for %s", len(b), r.Host)
	})}
	go server.Serve(l)
	defer server.Close()
	o := mustRun(t, v, action(fmt.Sprintf("import urllib.request\ndef main(a):\n return {'said': urllib.request.urlopen('http://127.0.0.1:%d/', b'x' * (5 << 20)).read().decode()}", port)))
	if want := fmt.Sprintf(`{"said": "5242880 bytes for 127.0.0.1:%d"}`, port); string(o.Result) != want {
		t.Errorf("%s\n%s", o.Result, strings.Join(o.Logs, "\n"))
	}
}

func TestFiles(t *testing.T) {
	v, _ := newInvoker(t, invoker.Options{})
	file := filepath.Join(t.TempDir(), "ca.pem")
	os.WriteFile(file, []byte("authority"), 0o644)
	inv := action("import os\ndef main(a):\n return {'ca': open(os.environ['REQUESTS_CA_BUNDLE']).read(), 'plain': os.environ['PLAIN']}")
	inv.ExtraEnv = map[string]string{"REQUESTS_CA_BUNDLE": file, "PLAIN": "text"}
	if o := mustRun(t, v, inv); string(o.Result) != `{"ca": "authority", "plain": "text"}` {
		t.Error(string(o.Result), o.Logs)
	}
}

func TestImagesThatDoNotWork(t *testing.T) {
	v, dir := newInvoker(t, invoker.Options{})
	for name, want := range map[string]string{
		"":                        "does not specify an image",
		"UPPER":                   "is not a valid image name",
		emptyImage:                "no action proxy responds",
		"127.0.0.1:1/not/there:1": "could not be pulled",
	} {
		inv := action("x")
		inv.Image, inv.Revision = name, name
		if o := mustRun(t, v, inv); o.Status != invoke.DeveloperError || !strings.Contains(string(o.Result), want) {
			t.Errorf("%s: %s %s", name, o.Status, o.Result)
		}
	}
	if left := containers(t, dir); len(left) > 0 {
		t.Error(left)
	}
}

// TestKilledEndpoint kills a process that contains an invoker. Containers with our proxy end with the process, and the
// next start removes the remaining containers, running or paused.
func TestKilledEndpoint(t *testing.T) {
	sleeps, returns := "import time\ndef main(a):\n time.sleep(60)", "def main(a):\n return {}"
	if dir := os.Getenv("CONTAINERS_TEST_DIR"); dir != "" {
		v, err := invoker.New(context.Background(), invoker.Options{Kind: invoker.Docker, Dir: dir, PauseAfter: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		inv := action(os.Getenv("CONTAINERS_TEST_CODE"))
		inv.Image = os.Getenv("CONTAINERS_TEST_IMAGE")
		v.Run(context.Background(), inv)
		select {}
	}
	for _, c := range []struct{ name, image, code, before, after string }{
		{"our proxy", proxyImage, sleeps, "running", "exited"},
		{"another proxy", otherImage, sleeps, "running", "running"},
		{"paused", proxyImage, returns, "paused", "paused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "workers")
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilledEndpoint$")
			cmd.Env = append(os.Environ(), "CONTAINERS_TEST_DIR="+dir, "CONTAINERS_TEST_IMAGE="+c.image, "CONTAINERS_TEST_CODE="+c.code)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			await := func(state string) {
				t.Helper()
				runtimetest.Eventually(t, "the container is "+state, func() bool {
					list := containers(t, dir)
					return len(list) == 1 && list[0].State == state
				})
			}
			await(c.before)
			cmd.Process.Kill()
			cmd.Wait()
			await(c.after)
			v, err := invoker.New(t.Context(), invoker.Options{Kind: invoker.Docker, Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close(t.Context())
			if left := containers(t, dir); len(left) > 0 {
				t.Error(left)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	v, dir := newInvoker(t, invoker.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := v.Run(ctx, action("import time\ndef main(a):\n time.sleep(60)"))
		ended <- err
	}()
	runtimetest.Eventually(t, "a container", func() bool { return len(containers(t, dir)) > 0 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("the activation ended well")
	}
}
