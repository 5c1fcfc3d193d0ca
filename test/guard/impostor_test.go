//go:build linux

package guard

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fn-runtime/test/harness"
)

// impostor is another user's program that listens on the ports of an endpoint that has ended. It accepts every object
// and every invocation, and returns a status that executes code in the client when unpickled.
type impostor struct {
	t    *testing.T
	code string // Python source
	ends []func()

	mu      sync.Mutex
	objects map[string][]byte
	keys    []string // received Authorization values
}

func impersonate(t *testing.T, code string, urls ...string) *impostor {
	t.Helper()
	i := &impostor{t: t, code: code, objects: map[string][]byte{}}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(i)
		s.Listener.Close()
		if s.Listener, err = net.Listen("tcp", u.Host); err != nil {
			t.Fatal(err)
		}
		if u.Scheme == "https" {
			s.StartTLS()
		} else {
			s.Start()
		}
		i.ends = append(i.ends, s.Close)
		t.Cleanup(s.Close)
	}
	return i
}

func (i *impostor) stop() {
	for _, end := range i.ends {
		end()
	}
}

func (i *impostor) receivedKeys() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.keys)
}

func (i *impostor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	if a := r.Header.Get("Authorization"); !strings.HasPrefix(a, "AWS4-") && a != "" { // a signature does not contain the key
		i.keys = append(i.keys, a)
	}
	switch path, prefix := strings.TrimPrefix(r.URL.Path, "/lithops-local/"), r.URL.Query().Get("prefix"); {
	case strings.HasPrefix(r.URL.Path, "/api/") && r.Method == http.MethodPost:
		i.storeStatus(body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"activationId": "0123456789abcdef0123456789abcdef"}`)
	case r.Method == http.MethodPut:
		i.objects[path] = body
	case r.URL.Query().Has("list-type"):
		fmt.Fprint(w, `<ListBucketResult><Name>lithops-local</Name><IsTruncated>false</IsTruncated>`)
		for key := range i.objects {
			if strings.HasPrefix(key, prefix) {
				fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>1</Size></Contents>", key)
			}
		}
		fmt.Fprint(w, "</ListBucketResult>")
	case i.objects[path] != nil:
		_, _ = w.Write(i.objects[path])
	case r.URL.Path != "/lithops-local":
		w.WriteHeader(http.StatusNotFound)
	}
}

// storeStatus stores a status for each call of an invocation.
func (i *impostor) storeStatus(payload []byte) {
	var job struct {
		Executor string   `json:"executor_id"`
		Job      string   `json:"job_id"`
		Calls    []string `json:"call_ids"`
	}
	_ = json.Unmarshal(payload, &job)
	status, _ := json.Marshal(map[string]any{"type": "__end__", "exception": true, "exc_info": i.code, "activation_id": "a",
		"host_submit_tstamp": 0, "worker_start_tstamp": 0, "worker_end_tstamp": 0, "worker_func_exec_time": 0})
	for _, call := range job.Calls {
		i.objects["lithops.jobs/"+job.Executor+"-"+job.Job+"/"+call+"/status.json"] = status
	}
}

// twoJobs is a client that runs a job at the start, and another one when it reads a line from standard input.
const twoJobs = `import lithops, sys
fexec = lithops.FunctionExecutor(log_level='ERROR', config_file=sys.argv[1])
def f(x):
    return x + 7
for line in sys.stdin:
    try:
        fexec.call_async(f, 3)
        print('ended with', fexec.get_result(timeout=5), flush=True)
    except BaseException as e:
        print('ended by', type(e).__name__, flush=True)
`

// lithops is a running Lithops client.
type lithops struct {
	t      *testing.T
	in     io.Writer
	out    *bufio.Scanner
	errors *bytes.Buffer
}

func newLithops(t *testing.T, s *harness.Stage, python, config string) *lithops {
	t.Helper()
	cmd := s.Command(python, "-c", twoJobs, config)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs := &bytes.Buffer{}
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &lithops{t, in, bufio.NewScanner(out), errs}
}

// job runs one job and returns how it ended.
func (l *lithops) job() string {
	l.t.Helper()
	if _, err := io.WriteString(l.in, "\n"); err != nil {
		l.t.Fatal(err)
	}
	for l.out.Scan() {
		if strings.HasPrefix(l.out.Text(), "ended ") {
			return l.out.Text()
		}
	}
	return "ended by itself\n" + l.errors.String()
}

// asAnother sends a request as another user with the given Authorization value, and returns the status or the error.
func asAnother(t *testing.T, address, key string) string {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", "-c", use, address, key)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, _ := cmd.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

const use = `import ssl, sys, urllib.request
print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={'Authorization': sys.argv[2]}), context=ssl._create_unverified_context(), timeout=20).status)`

// TestTheSecondUserGetsNothing runs the whole attack: the endpoint stops, another user listens on its ports, and the
// user's own Lithops runs a job with the configuration that lithops-config wrote. The client must not unpickle any
// response of the other user, and the keys that it sent must not work once the endpoint is running again.
func TestTheSecondUserGetsNothing(t *testing.T) {
	if os.Getuid() != 0 {
		harness.Missing(t, "only root can become another user")
	}
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	s.FnRuntime("deploy", "default", "-b", "local", "-q")
	config := s.FnRuntime("lithops-config", "-b", "local", "--show-secrets").Stdout
	file := filepath.Join(s.Home, "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var urls []string // of both services
	for _, m := range regexp.MustCompile(`(?m)^ +endpoint: (.*)$`).FindAllStringSubmatch(config, -1) {
		urls = append(urls, m[1])
	}
	if slices.Sort(urls); len(urls) != 2 {
		t.Fatalf("endpoints: %v", urls)
	}
	urls = slices.Compact(urls)
	e := s.Endpoint()
	s.Env = append(s.Env, e.Trust()...)

	old := newLithops(t, s, python, file)
	if got := old.job(); got != "ended with 10" {
		t.Fatalf("with the endpoint: %s", got)
	}
	s.FnRuntime("local", "stop")
	proof := filepath.Join(s.Home, "taken-over")
	bad := impersonate(t, fmt.Sprintf("open(%q, 'w').close()", proof), urls...)
	check := func(name string, l *lithops) {
		got := l.job()
		if !strings.HasPrefix(got, "ended by") {
			t.Errorf("a client %s, with the impostor: %s", name, got)
		}
		if os.Remove(proof) == nil {
			t.Errorf("a client %s ran the impostor's code", name)
		}
		t.Logf("a client %s sent %d keys and %s", name, len(bad.receivedKeys()), got)
	}
	check("that starts now", newLithops(t, s, python, file))
	if n := len(bad.receivedKeys()); n > 0 {
		t.Errorf("a client that starts now sent %d keys", n)
	}
	// The client never verifies an invocation. A client that has already stored its function sends the invocation
	// first.
	check("that has worked before", old)
	bad.stop()
	s.FnRuntime("local", "start", "-q")
	for _, key := range append(bad.receivedKeys(), "Bearer "+e.Token) {
		if out := asAnother(t, s.Endpoint().Endpoint+"/api/v1/namespaces", key); strings.HasPrefix(out, "2") {
			t.Errorf("another user gets in with a key that he was given: %s", out)
		}
	}
}
