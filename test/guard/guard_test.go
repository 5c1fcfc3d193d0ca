//go:build linux

// Package guard attacks the local endpoint as other programs and other users of the same machine could.
package guard

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

func start(t *testing.T) (*harness.Stage, harness.Endpoint) {
	t.Helper()
	s := harness.NewStage(t)
	python, ok := harness.FindPython("3.11")
	if !ok {
		python = harness.Python(t, "3.12")
	}
	s.FnRuntime("local", "start", "--python", python)
	return s, s.Endpoint()
}

func client() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestRequestsNeedCredentials(t *testing.T) {
	_, e := start(t)
	paths := []string{
		e.Endpoint + "/api/v1/namespaces", e.Endpoint + "/api/v1/namespaces/_/actions", e.Endpoint + "/api/v1/namespaces/_/activations", e.Endpoint + "/api/v1",
		e.Endpoint + "/_fn-runtime/health", e.Endpoint + "/_fn-runtime/stop", e.Endpoint + "/", e.Endpoint + "/" + e.Bucket, e.S3Endpoint + "/", e.S3Endpoint + "/" + e.Bucket + "/x",
		e.Endpoint + "//api/v1/namespaces", e.Endpoint + "/%61pi/v1/namespaces/_/actions", e.Endpoint + "/api/v1/../v1/namespaces",
	}
	credentials := map[string]func(*http.Request){
		"none": func(*http.Request) {}, "empty": func(r *http.Request) { r.Header.Set("Authorization", "") },
		"wrong key": func(r *http.Request) { r.SetBasicAuth(strings.Split(e.APIKey, ":")[0], "x") }, "empty key": func(r *http.Request) { r.SetBasicAuth("", "") },
		"wrong token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+e.Token[1:]) }, "empty token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
		"a name alone": func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+e.AccessKey+"/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=")
		},
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "TRACE"} {
			for name, give := range credentials {
				req, err := http.NewRequest(method, path, strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				give(req)
				resp, err := client().Do(req)
				if err != nil {
					t.Errorf("%s %s: %v", method, path, err)
					continue
				}
				data, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if info := path == e.Endpoint+"/" || path == e.Endpoint+"/api/v1"; info && (method == "GET" || method == "HEAD") && resp.StatusCode == http.StatusOK {
					// Like OpenWhisk, the endpoint reports its limits without credentials.
				} else if resp.StatusCode < 300 || resp.StatusCode >= 500 {
					t.Errorf("%s %s with credentials %q: status %d: %.200s", method, path, name, resp.StatusCode, data)
				}
				for _, secret := range []string{e.APIKey, e.Token, e.SecretKey, e.NamespaceID} {
					if strings.Contains(string(data)+fmt.Sprint(resp.Header), secret) {
						t.Errorf("%s %s reveals a secret", method, path)
					}
				}
			}
		}
	}
}

func TestNoBrowserGetsIn(t *testing.T) {
	_, e := start(t)
	for _, base := range []string{e.Endpoint + "/api/v1/namespaces", e.S3Endpoint + "/" + e.Bucket} {
		for name, set := range map[string]func(*http.Request){
			"another name":         func(r *http.Request) { r.Host = "evil.example" },
			"a name of this host":  func(r *http.Request) { r.Host = "127.0.0.1.nip.io" },
			"an origin":            func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
			"an origin of its own": func(r *http.Request) { r.Header.Set("Origin", "null") },
			"another site":         func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		} {
			req, _ := http.NewRequest("GET", base, nil)
			req.Header.Set("Authorization", "Bearer "+e.Token)
			set(req)
			resp, err := client().Do(req)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("%s on %s: status %d", name, base, resp.StatusCode)
			}
			if h := resp.Header.Get("Access-Control-Allow-Origin"); h != "" {
				t.Errorf("%s: allowed to %s", name, h)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	_, e := start(t)
	// The endpoint closes connections whose header is endless or arrives too slowly.
	for name, send := range map[string]func(net.Conn){
		"large": func(c net.Conn) {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
			for range 4096 {
				if _, err := io.WriteString(c, "X-A: "+strings.Repeat("a", 1000)+"\r\n"); err != nil {
					return
				}
			}
		},
		"slow": func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ") },
	} {
		u, err := url.Parse(e.S3Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		go send(c)
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge && resp.StatusCode != http.StatusRequestTimeout && resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s header: status %d", name, resp.StatusCode)
			}
		} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s header: the connection stays open", name)
		}
		c.Close()
	}
	// A body beyond the code limit is refused before it is read completely.
	sent := atomic.Int64{}
	req, _ := http.NewRequest("PUT", e.Endpoint+"/api/v1/namespaces/_/actions/big", &zeros{left: 1 << 30, sent: &sent})
	req.SetBasicAuth(strings.Split(e.APIKey, ":")[0], strings.Split(e.APIKey, ":")[1])
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = 1 << 30
	resp, err := client().Do(req)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge && resp.StatusCode != http.StatusBadRequest {
			t.Errorf("large body: status %d", resp.StatusCode)
		}
	}
	if sent.Load() > 200<<20 {
		t.Errorf("%d MB of a body were accepted", sent.Load()>>20)
	}
	// The endpoint survives many connections.
	var all []net.Conn
	for range 500 {
		if c, err := net.Dial("tcp", strings.TrimPrefix(e.S3Endpoint, "https://")); err == nil {
			all = append(all, c)
		}
	}
	req, _ = http.NewRequest("GET", e.Endpoint+"/_fn-runtime/health", nil)
	req.Header.Set("Authorization", "Bearer "+e.Token)
	if resp, err := client().Do(req); err != nil || resp.StatusCode != 200 {
		t.Errorf("with %d open connections: %v", len(all), err)
	}
	for _, c := range all {
		c.Close()
	}
}

// zeros is a body that counts how many bytes were read from it.
type zeros struct {
	left int64
	sent *atomic.Int64
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	z.sent.Add(n)
	return int(n), nil
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	s, e := start(t)
	seen := 0
	err := filepath.WalkDir(s.LocalDir(), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		if info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(path, "-bundle.pem") { // containers run as any user and read the bundles
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || seen < 5 {
		t.Errorf("%d files seen, %v", seen, err)
	}
	if os.Getuid() != 0 {
		harness.Missing(t, "only root can become another user")
	}
	// The directories above are created by the test. The permissions of the endpoint's own directories must suffice.
	for dir := filepath.Dir(s.LocalDir()); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o755)
	}
	other := func(args ...string) (string, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := other("id", "-u"); err != nil || strings.TrimSpace(out) != "65534" {
		t.Fatalf("cannot become another user: %v %s", err, out)
	}
	// The endpoint closes the connections of another user, regardless of credentials, and the user can neither take nor
	// share the port.
	for _, base := range []string{e.Endpoint + "/api/v1/namespaces/_/actions", e.Endpoint + "/_fn-runtime/stop", e.S3Endpoint + "/" + e.Bucket} {
		if out, err := other("/usr/bin/python3", "-c", sendRequest, base); err == nil || strings.Contains(out, "HTTPError") {
			t.Errorf("another user at %s: %v %s", base, err, out)
		}
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"127.0.0.1", "0.0.0.0", "::"} {
			if out, err := other("/usr/bin/python3", "-c", takePort, host, u.Port()); err == nil || !strings.Contains(out, "in use") {
				t.Errorf("another user binds %s:%s: %v %s", host, u.Port(), err, out)
			}
		}
	}
	for _, args := range [][]string{
		{"kill", "-TERM", fmt.Sprint(e.PID)}, {"cat", fmt.Sprintf("/proc/%d/mem", e.PID)}, {"ls", fmt.Sprintf("/proc/%d/fd", e.PID)}, {"rm", "-rf", s.LocalDir()}, {"mv", s.LocalDir(), s.LocalDir() + "2"},
		{"cat", filepath.Join(s.LocalDir(), "endpoint.json")}, {"ls", s.LocalDir()}, {"touch", filepath.Join(s.LocalDir(), "x")},
		{"cat", fmt.Sprintf("/proc/%d/environ", e.PID)}, {"kill", "-9", fmt.Sprint(e.PID)},
	} {
		if out, err := other(args...); err == nil {
			t.Errorf("another user can %v: %.200s", args, out)
		}
	}
	if data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", e.PID)); err != nil || strings.Contains(string(data), e.Token) || strings.Contains(string(data), e.SecretKey) {
		t.Errorf("the command line: %q, %v", data, err)
	}
}

// sendRequest sends a request without credentials. takePort tries every way to listen on a port.
const (
	sendRequest = `import ssl, sys, urllib.request, urllib.error
print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], method='POST'), context=ssl._create_unverified_context(), timeout=20).status)`
	takePort = `import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()`
)

// If another process listens on the port of an endpoint that has ended, the clients do not send secrets to it.
func TestImpostorLearnsNothing(t *testing.T) {
	s, e := start(t)
	s.FnRuntime("local", "stop")
	var heard atomic.Int64
	impostor := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard.Add(1) }))
	impostor.Listener.Close()
	l, err := net.Listen("tcp", strings.TrimPrefix(e.Endpoint, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	impostor.Listener = l
	impostor.StartTLS()
	defer impostor.Close()
	if err := os.WriteFile(filepath.Join(s.LocalDir(), "endpoint.json"), published(t, s, os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.Try(time.Minute, s.Bin, "local", "status", "--output", "json")
	if strings.Contains(r.Stdout, `"running": true`) {
		t.Errorf("the impostor is mistaken for the endpoint: %s", r.Stdout)
	}
	r = s.Try(time.Minute, s.Bin, "list", "-b", "local")
	if r.Code != 1 || !strings.Contains(r.Stderr, "FAILED") {
		t.Errorf("list: %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if heard.Load() > 0 {
		t.Errorf("the impostor was sent %d requests", heard.Load())
	}
}

// published returns the endpoint's file as it was written while the endpoint ran, with the PID of another process.
func published(t *testing.T, s *harness.Stage, pid int) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.LocalDir(), "endpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.Replace(string(data), `"pid": 0`, fmt.Sprintf(`"pid": %d`, pid), 1))
}
