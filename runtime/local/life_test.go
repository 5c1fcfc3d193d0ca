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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/invoke"
)

// TestMain lets the test binary be the program that Start runs again as "local run".
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "local" && os.Args[2] == "run" {
		o := Options{NewInvoker: echo}
		for i := 3; i+1 < len(os.Args); i += 2 {
			switch os.Args[i] {
			case "--dir":
				o.Dir = os.Args[i+1]
			case "--port":
				o.Port, _ = strconv.Atoi(os.Args[i+1])
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
	os.Exit(m.Run())
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
	resp, err := httpClient(t, i).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data)
}

func TestALifeInTheBackground(t *testing.T) {
	o := options(t)
	ctx := t.Context()
	if i, err := Status(ctx, o.Dir); err != nil || i.Running {
		t.Fatal(i, err)
	}
	if err := Stop(ctx, o.Dir); err != nil {
		t.Fatal("stopping what never ran:", err)
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
		t.Fatal("it still runs", i, err)
	}
	second := mustStart(t, o)
	if second.APIKey != first.APIKey || second.Token != first.Token || second.Port != first.Port || second.S3Port != first.S3Port || second.NamespaceID != first.NamespaceID {
		t.Fatal("credentials or ports changed")
	}
	if _, body := call(t, second, "GET", "/lithops-local/key", ""); body != "value" {
		t.Fatal(body)
	}

	// Killed, it heals at the next start, with nothing lost.
	if err := syscall.Kill(second.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	third := mustStart(t, o)
	if third.PID == second.PID || third.Port != first.Port {
		t.Fatal("not a new one")
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
	if err := Logs(ctx, o.Dir, false, 1000, &out); err != nil || !strings.Contains(out.String(), "openwhisk PUT /api/v1/namespaces/_/packages/p 200") {
		t.Error(out.String(), err)
	}
	noSecretsIn(t, o.Dir, third)
}

// noSecretsIn searches every file but those that hold the credentials, and their modes.
func noSecretsIn(t *testing.T, dir string, i Info) {
	t.Helper()
	secrets := []string{i.APIKey, i.Token, i.SecretKey, strings.SplitAfter(i.APIKey, ":")[1]}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		if st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, st.Mode().Perm())
		}
		if e.IsDir() || e.Name() == infoFile {
			return nil
		}
		data, err := os.ReadFile(path)
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				t.Errorf("a secret is in %s", path)
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
			t.Error("a secret is printed")
		}
	}
}

func TestManyStartsAtOnceGiveOneEndpoint(t *testing.T) {
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
		t.Fatalf("endpoints: %v", pids)
	}
	if err := Serve(t.Context(), o); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
}

func TestATakenPortIsSaid(t *testing.T) {
	o := options(t)
	i := mustStart(t, o)
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", i.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck
	_, err = Start(t.Context(), o)
	var f *fault.Fault
	if !errors.As(err, &f) || !strings.Contains(strings.Join(f.Details, "\n"), "cannot be opened") {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), o); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), strconv.Itoa(i.Port)) {
		t.Fatal(err)
	}
}

func TestAStaleOrRecycledProcessIsNeverKilled(t *testing.T) {
	dir := t.TempDir()
	// The number now belongs to another process: this one.
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

func TestIdleEndpointsEnd(t *testing.T) {
	o := options(t)
	o.NewInvoker, o.IdleTimeout = echo, 50*time.Millisecond
	done := make(chan error, 1)
	go func() { done <- Serve(t.Context(), o) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}

func TestOnlyProgramsOfThisMachine(t *testing.T) {
	o := options(t)
	i := mustStart(t, o)
	for _, c := range []struct {
		name, url, host, origin, token string
		status                         int
	}{
		{"right", i.Endpoint + "/api/v1/namespaces", "", "", i.Token, 200},
		{"localhost", "https://localhost:" + strconv.Itoa(i.Port) + "/api/v1/namespaces", "", "", i.Token, 200},
		{"rebinding", i.Endpoint + "/api/v1/namespaces", "evil.example:443", "", i.Token, 421},
		{"rebinding S3", i.S3Endpoint + "/", "evil.example", "", i.Token, 421},
		{"no host", i.Endpoint + "/api/v1/namespaces", "127.0.0.1.evil.example", "", i.Token, 421},
		{"browser", i.Endpoint + "/api/v1/namespaces", "", "https://evil.example", i.Token, 403},
		{"nobody", i.Endpoint + "/api/v1/namespaces", "", "", "x", 401},
		{"nobody in S3", i.Endpoint + "/lithops-local", "", "", "x", 403},
		{"nobody in plain S3", i.S3Endpoint + "/lithops-local", "", "", i.Token, 403},
		{"nobody's health", i.Endpoint + "/_fn-runtime/health", "", "", "x", 401},
		{"no API without TLS", i.S3Endpoint + "/api/v1/namespaces", "", "", i.Token, 403},
	} {
		req, _ := http.NewRequest("GET", c.url, nil)
		req.Host = c.host
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := httpClient(t, i).Do(req)
		if err != nil {
			t.Error(c.name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, resp.StatusCode, c.status)
		}
	}
	req, _ := http.NewRequest("GET", i.Endpoint+"/api/v1/namespaces", nil)
	req.Header.Set("X-Long", strings.Repeat("x", 2*maxHeader))
	if resp, err := httpClient(t, i).Do(req); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Error(resp.Status)
		}
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	clock := func() time.Time { return now }
	c, err := newCerts(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := c.get(nil)
	now = now.Add(certLifetime - renewBefore + time.Hour)
	second, err := c.get(nil)
	if err != nil || first.Leaf.SerialNumber.Cmp(second.Leaf.SerialNumber) == 0 {
		t.Fatal("the certificate is not renewed", err)
	}
	c2, err := newCerts(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	if third, _ := c2.get(nil); third.Leaf.SerialNumber.Cmp(second.Leaf.SerialNumber) != 0 {
		t.Error("a fresh certificate is made anew")
	}
	ca, key, err := c2.authority()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if _, err := second.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Who steals the authority can vouch for no other host.
	evil := &x509.Certificate{DNSNames: []string{"cloud.ibm.com"}}
	if _, err := c2.issue(evil, ca, key, time.Hour, "evil.pem", "evil-key.pem"); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(c2.path("evil.pem"), c2.path("evil-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "cloud.ibm.com", CurrentTime: now}); err == nil {
		t.Error("the authority vouches for other hosts")
	}
}

func TestTheLogIsBoundedAndFollowed(t *testing.T) {
	dir := t.TempDir()
	w, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.max = 2000
	log := w.logger()
	for n := range 40 {
		log.Info("request", "service", "s3", "method", "GET", "path", "/b/\x1b[31m"+strconv.Itoa(n), "status", 200, "duration_ns", 1)
	}
	for _, name := range []string{logFile, logFile + ".1"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() > w.max {
			t.Error(name, st, err)
		}
	}
	var out bytes.Buffer
	if err := Logs(t.Context(), dir, false, 3, &out); err != nil || strings.Count(out.String(), "\n") != 3 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%q %v", out.String(), err)
	}
	r, pipe := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- Logs(ctx, dir, true, 0, pipe) }()
	got := make(chan string, 1)
	go func() {
		line := make([]byte, 4096)
		n, _ := r.Read(line)
		got <- string(line[:n])
	}()
	again := time.NewTicker(10 * time.Millisecond) // what is logged before the reader is there does not follow
	defer again.Stop()
	end := time.After(10 * time.Second)
	for line := ""; line == ""; {
		select {
		case line = <-got:
			if !strings.HasSuffix(line, "after x=1\n") {
				t.Error(line)
			}
		case <-again.C:
			log.Info("after", "x", 1)
		case <-end:
			t.Fatal("nothing followed")
		}
	}
	_ = r.Close()
	cancel() // an interrupt is how following ends; it is no error
	if err := <-followed; err != nil {
		t.Error(err)
	}
	_ = w.Close()
	if reqs, err := Requests(dir); err != nil || len(reqs) == 0 {
		t.Error(reqs, err)
	}
}

func TestTheSessionStaysOutOfTheEndpoint(t *testing.T) {
	got := environment([]string{"PATH=/bin", "IBMCLOUD_API_KEY=secret", "ibmcloud_x=1", "BLUEMIX_Y=1", "HOME=/h"})
	if strings.Join(got, " ") != "PATH=/bin HOME=/h" {
		t.Fatal(got)
	}
}
