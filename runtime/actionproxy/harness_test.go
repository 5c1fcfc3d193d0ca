package actionproxy_test

import (
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
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/actionproxy"
	"fn-runtime/runtime/runtimetest"
)

const sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n"

// proxy is a running action proxy on a TCP port, as in a container.
type proxy struct {
	t      testing.TB
	base   string
	cmd    *exec.Cmd
	out    string // file with standard output; err has standard error
	err    string
	exited chan error
}

// pythons returns the interpreters to test with, one for each version: those of pyenv and those on PATH.
func pythons(t *testing.T) map[string]string {
	t.Helper()
	home, _ := os.UserHomeDir()
	candidates, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/3.*/bin/python3"))
	for v := 6; v <= 14; v++ {
		candidates = append(candidates, fmt.Sprintf("/usr/bin/python3.%d", v))
	}
	if p, err := exec.LookPath("python3"); err == nil {
		candidates = append(candidates, p)
	}
	found := map[string]string{}
	for _, p := range candidates {
		out, err := exec.Command(p, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
		if v := strings.TrimSpace(string(out)); err == nil && found[v] == "" {
			found[v] = p
		}
	}
	if len(found) == 0 {
		t.Fatal("no Python 3 found: the action proxy cannot be tested without one")
	}
	return found
}

// eachPython runs a test with every interpreter, or in short mode only with the python3 on PATH.
func eachPython(t *testing.T, test func(t *testing.T, python string)) {
	list := pythons(t)
	if usual, err := exec.LookPath("python3"); err == nil && testing.Short() {
		list = map[string]string{"usual": usual}
	}
	for version, python := range list {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, python)
		})
	}
}

func start(t *testing.T, python string) *proxy {
	t.Helper()
	return startWith(t, python, nil, 0)
}

// startWith starts a proxy with a lifeline as descriptor 0 or 3.
func startWith(t testing.TB, python string, lifeline *os.File, number int) *proxy {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, actionproxy.Name)
	if err := os.WriteFile(file, actionproxy.Source(), 0o600); err != nil {
		t.Fatal(err)
	}
	const host = "127.0.0.1"
	port := strconv.Itoa(runtimetest.FreePort(t))
	p := &proxy{t: t, base: "http://" + net.JoinHostPort(host, port), exited: make(chan error, 1),
		out: filepath.Join(dir, "out"), err: filepath.Join(dir, "err")}
	p.cmd = exec.Command(python, file)
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PROXY_HOST=" + host, "PORT=" + port,
		"TMPDIR=" + dir, "PROXY_DIR=" + filepath.Join(dir, "action"), "PYTHONDONTWRITEBYTECODE=1"}
	endGroup := inGroup(p.cmd)
	if lifeline != nil {
		p.cmd.Stdin = lifeline
		if number != 0 {
			p.cmd.Stdin, p.cmd.ExtraFiles = nil, []*os.File{lifeline}
		}
		p.cmd.Env = append(p.cmd.Env, "PROXY_LIFELINE="+strconv.Itoa(number))
	}
	stdout, _ := os.Create(p.out)
	stderr, _ := os.Create(p.err)
	defer stdout.Close()
	defer stderr.Close()
	p.cmd.Stdout, p.cmd.Stderr = stdout, stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	t.Cleanup(endGroup)
	runtimetest.Eventually(t, "the proxy listens", func() bool {
		c, err := net.Dial("tcp", p.base[len("http://"):])
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return p
}

func (p *proxy) read(file string) string {
	b, _ := os.ReadFile(file)
	return string(b)
}

func (p *proxy) post(path string, body any) (int, string) {
	p.t.Helper()
	raw, ok := body.(string)
	if !ok {
		b, _ := json.Marshal(body)
		raw = string(b)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", p.base+path, strings.NewReader(raw))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", path, err, p.read(p.err))
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		p.t.Errorf("content type %q", ct)
	}
	return resp.StatusCode, string(b)
}

func (p *proxy) initSource(code string) {
	p.t.Helper()
	if status, body := p.post("/init", initBody(code, false)); status != 200 {
		p.t.Fatalf("init: %d %s\n%s", status, body, p.read(p.err))
	}
}

func initBody(code string, binary bool) any {
	return map[string]any{"value": map[string]any{"name": "a", "main": "main", "code": code, "binary": binary,
		"env": map[string]any{"GIVEN": "yes", "NUMBER": 3}}}
}

func run(value any) any {
	return map[string]any{"value": value, "activation_id": "abc", "namespace": "ns", "api_key": "k",
		"deadline": strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10)}
}

var none = map[string]any{}

func (p *proxy) wait() error {
	p.t.Helper()
	select {
	case err := <-p.exited:
		return err
	case <-time.After(time.Minute):
		p.t.Fatal("the proxy is still running")
		return nil
	}
}

// alive reports whether a process is running. A process that has ended but has not been reaped is not running.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		p, err := os.FindProcess(pid)
		return runtime.GOOS != "linux" && err == nil && p.Signal(syscall.Signal(0)) == nil
	}
	return !bytes.Contains(stat, []byte(") Z "))
}
