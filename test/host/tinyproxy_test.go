//go:build unix

package host

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// realProxy is Debian's tinyproxy on loopback with a password. Its upstream is set by the test and represents the
// network behind a company's proxy.
type realProxy struct {
	address string // HOST:PORT
	log     string // file
}

// The credentials of the proxy. The password is a unique string; tinyproxy accepts only letters, digits and -._ in it.
const (
	proxyUser     = "clerk"
	proxyPassword = "sEcReT-proxy.7"
)

// newProxy starts tinyproxy with the URL of its upstream proxy.
func newProxy(t *testing.T, upstream string) *realProxy {
	t.Helper()
	program, err := exec.LookPath("tinyproxy")
	if err != nil {
		harness.Missing(t, "tinyproxy, a package of Debian, is not installed")
	}
	dir := t.TempDir()
	next, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(runtimetest.FreePort(t))
	p := &realProxy{address: net.JoinHostPort("127.0.0.1", port), log: filepath.Join(dir, "log")}
	config := filepath.Join(dir, "conf")
	text := fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 60\nLogFile %q\nLogLevel Connect\nMaxClients 50\nAllow 127.0.0.1\nBasicAuth %s %s\nUpstream http %s\nConnectPort 443\n",
		port, p.log, proxyUser, proxyPassword, next.Host)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-d", "-c", config)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	runtimetest.Eventually(t, "tinyproxy answers", func() bool {
		conn, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return p
}

// url returns the proxy's URL with user and password.
func (p *realProxy) url(password string) string {
	return (&url.URL{Scheme: "http", User: url.UserPassword(proxyUser, password), Host: p.address}).String()
}

// hasConnected reports whether the proxy's own log contains a CONNECT to the host.
func (p *realProxy) hasConnected(t *testing.T, host string) bool {
	t.Helper()
	data, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), "CONNECT "+host+":443")
}

// behindProxy runs a list that can reach IBM Cloud only through a real proxy, with a session that expires at the given
// time.
func behindProxy(t *testing.T, password string, end time.Time, more ...string) (*realProxy, *cloud, result) {
	t.Helper()
	cl := newCloud(t)
	p := newProxy(t, cl.URL)
	c := install(t, session(jwt(end)))
	args := onCloud(t, c, cl)
	c.env = append(append(c.env, "HTTPS_PROXY="+p.url(password)), more...) // the last value of a name takes effect
	return p, cl, c.run("fn-runtime", args...)
}

// IBM Cloud Functions, Object Storage and IAM are all reached through the proxy, with its password.
func TestRealProxy(t *testing.T) {
	p, cl, a := behindProxy(t, proxyPassword, time.Now().Add(-time.Hour))
	if a.status != 0 || strings.TrimSpace(a.out) != "[]" {
		t.Fatalf("got %+v, want status 0 and []", a)
	}
	for _, host := range []string{"us-south.functions.cloud.ibm.com", "iam.cloud.ibm.com"} {
		if !p.hasConnected(t, host) {
			t.Errorf("%s was not asked for; at the other end: %v", host, cl.requests)
		}
	}
	if all := strings.Join(cl.requests, "\n"); !strings.Contains(all, "cloud-object-storage.appdomain.cloud") {
		t.Errorf("nothing came to the object store:\n%s", all)
	}
}

// A wrong password is reported as such, even if the session has to be renewed first. Neither the correct nor the wrong
// password is printed, not even in the trace.
func TestRealProxyRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		end  time.Time
		says string
	}{
		"session":         {time.Now().Add(time.Hour), "rejected the user or password in HTTPS_PROXY"},
		"expired session": {time.Now().Add(-time.Hour), "The session could not be renewed: "},
	} {
		t.Run(name, func(t *testing.T) {
			trace := filepath.Join(t.TempDir(), "trace")
			_, cl, a := behindProxy(t, "sEcReT-wrong", tc.end, "IBMCLOUD_TRACE="+trace)
			data, err := os.ReadFile(trace)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != 1 || len(cl.requests) > 0 || !strings.Contains(a.out, tc.says) {
				t.Errorf("%+v\n%s", a, strings.Join(cl.requests, "\n"))
			}
			if text := a.out + a.err + string(data); strings.Contains(text, "sEcReT-wrong") || strings.Contains(text, proxyPassword) {
				t.Errorf("the proxy's password is shown:\n%s", text)
			}
		})
	}
}

// Hosts in NO_PROXY are reached without the proxy. The name ends in .invalid, which never resolves (RFC 2606).
func TestNoProxy(t *testing.T) {
	for noProxy, through := range map[string]bool{"": true, "other.example": true, ".invalid": false, "faas.invalid": false} {
		cl := newCloud(t)
		p := newProxy(t, cl.URL)
		c := install(t, nil)
		args := onCloud(t, c, cl)
		config := filepath.Join(c.home, "lithops.yaml")
		yaml := "lithops: {backend: openwhisk, storage: ibm_cos}\nopenwhisk: {endpoint: 'https://faas.invalid', namespace: guest, api_key: 'a:b'}\n" +
			"ibm_cos: {storage_bucket: b, region: us-south, access_key_id: a, secret_access_key: s}\n"
		if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		args[2] = "openwhisk"
		c.env = append(c.env, "HTTPS_PROXY="+p.url(proxyPassword), "NO_PROXY="+noProxy)
		a := c.run("fn-runtime", args...)
		if p.hasConnected(t, "faas.invalid") != through || !through && a.status == 0 {
			t.Errorf("NO_PROXY=%q: %+v, through the proxy: %v", noProxy, a, p.hasConnected(t, "faas.invalid"))
		}
	}
}
