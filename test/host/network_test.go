package host

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// privateSession returns a session with the private endpoint, as after 'ibmcloud login -a private.cloud.ibm.com'. Its
// token has expired.
func privateSession(t *testing.T) *cli {
	t.Helper()
	config := session(jwt(time.Now().Add(-time.Hour)))
	config["IsPrivate"] = true
	return install(t, config)
}

// hosts returns the host names that received requests.
func (c *cloud) hosts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := map[string]bool{}
	for _, r := range c.requests {
		host, _, _ := strings.Cut(strings.Fields(r)[1], "/")
		names[host] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// IBM Cloud Functions, Object Storage and IAM are reached by their private host names, and no other host is contacted.
func TestPrivateNames(t *testing.T) {
	cl := newCloud(t)
	a := list(t, privateSession(t), cl)
	if a.status != 0 || strings.TrimSpace(a.out) != "[]" {
		t.Errorf("got %+v, want status 0 and []", a)
	}
	want := []string{"private.us-south.functions.cloud.ibm.com", "private.us-south.iam.cloud.ibm.com", "s3.private.us-south.cloud-object-storage.appdomain.cloud"}
	if got := cl.hosts(); !slices.Equal(got, want) {
		t.Errorf("asked: %v, want %v", got, want)
	}
}

// Services and stores without a private host name are rejected before a request is sent. The registry is not contacted.
func TestPrivateRefusals(t *testing.T) {
	for name, tc := range map[string]struct{ yaml, refused string }{
		"an OpenWhisk of your own": {"openwhisk: {endpoint: 'https://faas.example.com', namespace: guest, api_key: 'a:b'}\nlithops: {backend: openwhisk, storage: ibm_cos}\n" +
			"ibm_cos: {storage_bucket: b, region: us-south, access_key_id: a, secret_access_key: s}\n", "https://faas.example.com"},
		"another store": {"lithops: {backend: ibm_cf, storage: minio}\nminio: {endpoint: 'https://minio.example.com', storage_bucket: b, access_key_id: a, secret_access_key: s}\n", "https://minio.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			cl, c := newCloud(t), privateSession(t)
			args := onCloud(t, c, cl)
			if err := os.WriteFile(args[4], []byte(tc.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			args = slices.Delete(args, 1, 3) // use the backend of the configuration
			a := c.run("fn-runtime", args...)
			if a.status != 1 || !strings.Contains(a.out, tc.refused) || !strings.Contains(a.out, "private endpoints") || len(cl.hosts()) > 0 {
				t.Errorf("%+v, asked: %v", a, cl.hosts())
			}
		})
	}
	t.Run("registry", func(t *testing.T) {
		cl, c := newCloud(t), privateSession(t)
		args := append([]string{"deploy", "docker.io/me/image:1", "--pin", "--dry-run"}, onCloud(t, c, cl)[1:]...)
		a := c.run("fn-runtime", args...)
		for _, host := range cl.hosts() {
			if !strings.Contains(host, "private.") {
				t.Errorf("%s was asked; %+v", host, a)
			}
		}
		if a.status != 1 || !strings.Contains(a.out, "docker.io") || !strings.Contains(a.out, "private endpoints") {
			t.Errorf("got %+v, want status 1 because of docker.io and private endpoints", a)
		}
	})
}

// SSL_CERT_FILE or REQUESTS_CA_BUNDLE adds a custom authority. Without them the certificate is refused before a token
// is sent. The CLI's own setting (ibmcloud api --skip-ssl-validation) applies to IBM Cloud's hosts.
func TestCustomAuthorities(t *testing.T) {
	for name, tc := range map[string]struct {
		variable string
		skip     bool
		status   int
	}{
		"SSL_CERT_FILE": {"SSL_CERT_FILE", false, 0}, "REQUESTS_CA_BUNDLE": {"REQUESTS_CA_BUNDLE", false, 0},
		"neither": {"", false, 1}, "validation switched off": {"", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCloud(t)
			config := session(jwt(time.Now().Add(time.Hour)))
			config["SSLDisabled"] = tc.skip
			c := install(t, config)
			args := onCloud(t, c, cl)
			c.env = slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "SSL_CERT_FILE=") })
			if tc.variable != "" {
				c.env = append(c.env, tc.variable+"="+cl.caFile)
			}
			a := c.run("fn-runtime", args...)
			if a.status != tc.status || a.status != 0 && !strings.Contains(a.out, "SSL_CERT_FILE") {
				t.Errorf("got %+v, want status %d, and SSL_CERT_FILE where it fails", a, tc.status)
			}
			if tc.status != 0 && len(cl.tokens) > 0 {
				t.Error("a token was sent")
			}
		})
	}
}

// elapsed matches the first response of a trace: milliseconds, and the line below.
var elapsed = regexp.MustCompile(`RESPONSE: .* Elapsed: (\d+)ms\n(.*)\n`)

// A command waits for a silent server for IBMCLOUD_HTTP_TIMEOUT seconds, or for the CLI's own setting (ibmcloud config
// --http-timeout), and then names the server.
func TestHTTPTimeout(t *testing.T) {
	for name, set := range map[string]func(c *cli, config map[string]any){
		"environment":   func(c *cli, _ map[string]any) { c.env = append(c.env, "IBMCLOUD_HTTP_TIMEOUT=1") },
		"configuration": func(_ *cli, config map[string]any) { config["HTTPTimeout"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCloud(t)
			cl.hang = make(chan struct{}, 1)
			config := session(jwt(time.Now().Add(time.Hour)))
			var given cli
			set(&given, config)
			c := install(t, config)
			trace := filepath.Join(c.home, "trace")
			args := onCloud(t, c, cl)
			c.env = append(append(c.env, given.env...), "IBMCLOUD_TRACE="+trace)
			cmd := c.command("fn-runtime", args...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { // it would retry for some time
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
			var missed []string
			for range 600 {
				data, _ := os.ReadFile(trace)
				if missed = elapsed.FindStringSubmatch(string(data)); missed != nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			// The default is 30 seconds.
			if missed == nil || len(missed[1]) > 5 || len(missed[1]) == 5 && missed[1] > "20000" || !strings.Contains(missed[2], "time limit") {
				t.Errorf("%q", missed)
			}
		})
	}
}
