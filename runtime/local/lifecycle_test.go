package local

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/invoke"
)

// TestMain makes the test binary usable as the program that Start runs with the arguments "local run".
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "local" && os.Args[2] == "run" {
		o := Options{NewInvoker: echo}
		for i := 3; i+1 < len(os.Args); i += 2 {
			switch os.Args[i] {
			case "--dir":
				o.Dir = os.Args[i+1]
			case "--port":
				o.Port, _ = strconv.Atoi(os.Args[i+1])
			case "--s3-port":
				o.S3Port, _ = strconv.Atoi(os.Args[i+1])
			case "--idle-timeout":
				o.IdleTimeout, _ = time.ParseDuration(os.Args[i+1])
			}
		}
		if err := Serve(context.Background(), o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

type echoInvoker struct{}

func echo(context.Context, InvokerSetup) (invoke.Invoker, error) { return echoInvoker{}, nil }

func (echoInvoker) Run(_ context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	return invoke.Outcome{Status: invoke.Success, Result: inv.Args}, nil
}

func (echoInvoker) Close(context.Context) error { return nil }

func options(t *testing.T) Options {
	t.Helper()
	o := Options{Dir: filepath.Join(t.TempDir(), "local"), Executable: os.Args[0]}
	t.Cleanup(func() { _ = Stop(context.Background(), o.Dir) })
	return o
}

func mustStart(t *testing.T, o Options) Info {
	t.Helper()
	i, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err, err.(*fault.Fault).Details)
	}
	return i
}

func httpClient(t *testing.T, i Info) *http.Client {
	t.Helper()
	ca, err := os.ReadFile(i.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
}

func call(t *testing.T, i Info, method, path, body string) (int, string) {
	t.Helper()
	req, _ := http.NewRequest(method, i.Endpoint+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+i.Token)
	req.Header.Set("User-Agent", "life-test")
	req.Header.Set("Content-Type", "application/json")
	resp, err := httpClient(t, i).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data)
}

// The endpoint can be started, stopped, killed and restarted. It keeps its ports, credentials and data.
func TestLifecycle(t *testing.T) {
	o := options(t)
	ctx := t.Context()
	if i, err := Status(ctx, o.Dir); err != nil || i.Running {
		t.Fatal(i, err)
	}
	if err := Stop(ctx, o.Dir); err != nil {
		t.Fatal("stopping an endpoint that was never started:", err)
	}
	first := mustStart(t, o)
	if again := mustStart(t, o); again.PID != first.PID {
		t.Fatal("a second start starts a second endpoint")
	}
	if status, body := call(t, first, "PUT", "/api/v1/namespaces/_/packages/p", "{}"); status != 200 {
		t.Fatal(status, body)
	}
	if status, body := call(t, first, "PUT", "/lithops-local/key", "value"); status != 200 {
		t.Fatal(status, body)
	}
	if err := Stop(ctx, o.Dir); err != nil {
		t.Fatal(err)
	}
	if i, err := Status(ctx, o.Dir); err != nil || i.Running || i.PID != 0 || processMark(first.PID) == first.ProcessMark {
		t.Fatal("the endpoint still runs:", i, err)
	}
	second := mustStart(t, o)
	if second.APIKey != first.APIKey || second.Token != first.Token || second.Port != first.Port || second.S3Port != first.S3Port || second.NamespaceID != first.NamespaceID {
		t.Fatal("credentials or ports changed")
	}
	if _, body := call(t, second, "GET", "/lithops-local/key", ""); body != "value" {
		t.Fatalf("got %q, want %q", body, "value")
	}

	// After the endpoint was killed, the next start recovers its state without loss.
	process, err := os.FindProcess(second.PID)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	third := mustStart(t, o)
	if third.PID == second.PID || third.Port != first.Port {
		t.Fatal("Start did not start a new process on the same port")
	}
	if status, _ := call(t, third, "GET", "/api/v1/namespaces/_/packages/p", ""); status != 200 {
		t.Fatal("the package is lost")
	}
	reqs, err := Requests(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, r := range reqs {
		if r.UserAgent == "life-test" && r.Status == 200 && !r.Time.IsZero() && r.Duration > 0 {
			seen++
		}
	}
	if seen != 4 {
		t.Errorf("%d of 4 requests recorded: %+v", seen, reqs)
	}
	var out bytes.Buffer
	if err := Logs(ctx, o.Dir, LogOptions{Lines: 1000}, &out); err != nil || !strings.Contains(out.String(), "openwhisk PUT /api/v1/namespaces/_/packages/p 200") {
		t.Error(out.String(), err)
	}
	noSecretsIn(t, o.Dir, third)
}

// noSecretsIn checks that no file except the one for credentials contains a secret, that only the user can access the
// files, and that an Info is printed without secrets.
func noSecretsIn(t *testing.T, dir string, i Info) {
	t.Helper()
	secrets := []string{i.APIKey, i.Token, i.SecretKey, i.ProxySecret, strings.SplitAfter(i.APIKey, ":")[1]}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		if st.Mode().Perm()&0o077 != 0 && e.Name() != bundleFile && e.Name() != cloudBundleFile {
			t.Errorf("%s has mode %o", path, st.Mode().Perm())
		}
		if e.IsDir() || e.Name() == infoFile {
			return nil
		}
		data, err := os.ReadFile(path)
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				t.Errorf("%s contains a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "info", i)
	text := fmt.Sprintf("%v %+v %#v %s %q", i, i, i, &i, i) + log.String()
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Error("the printed Info contains a secret")
		}
	}
}

func TestConcurrentStartsStartOneEndpoint(t *testing.T) {
	o := options(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	pids := map[int]bool{}
	for range 6 {
		wg.Go(func() {
			i, err := Start(t.Context(), o)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			pids[i.PID] = true
		})
	}
	wg.Wait()
	if len(pids) != 1 {
		t.Fatalf("got endpoints with PIDs %v, want one endpoint", pids)
	}
	if err := Serve(t.Context(), o); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
}

// If the endpoint's port is in use, the error names the port and the process that uses it.
func TestPortInUseIsReported(t *testing.T) {
	o := options(t)
	i := mustStart(t, o)
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", i.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(t.Context(), o)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.Conflict || len(f.Details) > 0 {
		t.Fatalf("got %v, want a conflict without details", err)
	}
	if want := fmt.Sprintf("process %d (", os.Getpid()); goruntime.GOOS == "linux" && !strings.Contains(f.Reason.String(), want) {
		t.Errorf("got %q, want the process that uses the port: %s", f.Reason, want)
	}
	if err := Serve(t.Context(), o); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), strconv.Itoa(i.Port)) {
		t.Fatal(err)
	}
}

// Serve and Start report a damaged state with its directory.
func TestDamagedStateIsReported(t *testing.T) {
	o := options(t)
	mustStart(t, o)
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(o.Dir, "state.db"), 10_000); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), o)
	var f *fault.Fault
	if !errors.As(err, &f) || !strings.Contains(strings.Join(f.Details, "\n"), "is damaged") {
		t.Errorf("got %v, want details that report the damaged state", err)
	}
	err = Serve(t.Context(), o)
	if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), o.Dir) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want that the state in %s is damaged", err, o.Dir)
	}
}

// Stop does not kill a process that has been assigned the PID of an earlier endpoint.
func TestStopDoesNotKillReusedPID(t *testing.T) {
	dir := t.TempDir()
	// The PID belongs to this test process, but its mark is different.
	err := writeInfo(dir, Info{PID: os.Getpid(), ProcessMark: "another boot/1", Endpoint: "https://127.0.0.1:1", CAFile: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if i, err := Status(t.Context(), dir); err != nil || i.Running || i.PID != 0 {
		t.Fatal(i, err)
	}
	if err := Stop(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
}

func TestIdleEndpointStops(t *testing.T) {
	o := options(t)
	o.NewInvoker, o.IdleTimeout = echo, 50*time.Millisecond
	done := make(chan error, 1)
	go func() { done <- Serve(t.Context(), o) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the idle endpoint does not stop")
	}
}

func TestEnvironmentOmitsSession(t *testing.T) {
	got := Environment([]string{"PATH=/bin", "IBMCLOUD_API_KEY=secret", "ibmcloud_x=1", "BLUEMIX_Y=1", "HOME=/h"})
	if diff := cmp.Diff([]string{"PATH=/bin", "HOME=/h"}, got); diff != "" {
		t.Errorf("the environment (-want +got):\n%s", diff)
	}
}
