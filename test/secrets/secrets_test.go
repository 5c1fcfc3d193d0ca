//go:build unix

// Package secrets plants marked secrets in every location where users keep them, runs all commands with the trace
// enabled, and searches all output, files, processes and requests for the secrets.
package secrets

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

var write = flag.Bool("write", false, "write the counts to docs/reliability.md")

// planted maps names to secrets. No output may contain one.
var planted = map[string]string{
	"OpenWhisk key":     cloud.APIKey[strings.Index(cloud.APIKey, ":")+1:],
	"IAM API key":       cloud.IAMKey,
	"IAM access token":  cloud.Token,
	"HMAC secret":       cloud.SecretKey,
	"session token":     cloud.SessionToken,
	"refresh token":     cloud.RefreshToken,
	"CLI's API key":     "sEcReT-ibmcloud-api-key-0123456789",
	"registry password": "sEcReT-registry-password-0123456789",
	"Docker password":   "sEcReT-docker-config-password-0123456789",
}

// allowed lists the services that may receive a secret.
var allowed = map[string][]string{
	"OpenWhisk key": {cloud.OpenWhisk}, "IAM API key": {cloud.IAM}, "IAM access token": {cloud.OpenWhisk, cloud.S3, cloud.CodeEngine},
	"registry password": {cloud.Registry, cloud.CodeEngine}, "HMAC secret": {cloud.CodeEngine}, // a worker's way to the bucket "Docker password": {cloud.Registry},
}

func TestFormsAreFound(t *testing.T) {
	secret := map[string]string{"s": "sEcReT-0123456789"}
	for _, text := range []string{
		"a sEcReT-0123456789 b", base64.StdEncoding.EncodeToString([]byte("u:sEcReT-0123456789")), base64.StdEncoding.EncodeToString([]byte("sEcReT-0123456789")),
		base64.StdEncoding.EncodeToString([]byte("us:sEcReT-0123456789x")), base64.URLEncoding.EncodeToString([]byte("use:sEcReT-0123456789x")),
	} {
		if len(find(text, secret)) != 1 {
			t.Errorf("not found in %q", text)
		}
	}
	if len(find("sEcReT-012345678", secret)) != 0 {
		t.Error("found a secret that does not exist")
	}
}

// seen records the requests that a service received.
type seen struct {
	mu  sync.Mutex
	all map[string]*strings.Builder
}

func (s *seen) wrap(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 16<<20))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		if s.all[service] == nil {
			s.all[service] = &strings.Builder{}
		}
		fmt.Fprintf(s.all[service], "%s %s\n%v\n%s\n", r.Method, r.URL, r.Header, body)
		s.mu.Unlock()
		if next != nil {
			next.ServeHTTP(w, r)
		}
	})
}

var lines = []string{
	"version", "deploy me/img:1 -m 256,512", "deploy {registry}/me/img:1 --pin", "list", "show me/img:1", "invoke me/img:1", "update all --force", "doctor --repair",
	"lithops-config", "deploy me/img:1 --dry-run --output json", "delete me/img:1 -f", "clean -f", "list --output json", "deploy no:such:image", "show nothing", "delete all -f -b local --wrong",
	"init skeleton", "deploy default", "clean --all -f",
}

func TestNoSecretGetsOut(t *testing.T) {
	var total tally
	t.Run("all", func(t *testing.T) { total.everywhere(t) })
	t.Logf("%d secrets planted, %d outputs, files and records searched, %d found", len(planted), total.searched, total.found)
	if *write && !t.Failed() {
		harness.Figure(t, "Secrets: planted", fmt.Sprint(len(planted)))
		harness.Figure(t, "Secrets: outputs, files and records of requests searched", fmt.Sprint(total.searched))
		harness.Figure(t, "Secrets: found", fmt.Sprint(total.found))
	}
}

// tally holds the counts of all runs.
type tally struct {
	mu              sync.Mutex
	searched, found int
}

func (n *tally) add(searched, found int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.searched, n.found = n.searched+searched, n.found+found
}

func (n *tally) everywhere(t *testing.T) {
	for _, backend := range []string{"openwhisk", "ibm_cf", "code_engine"} {
		for _, trace := range []string{"true", "file"} {
			if backend == "code_engine" && trace == "file" && !*write {
				continue // written by the same code
			}
			t.Run(backend+", trace "+trace, func(t *testing.T) {
				t.Parallel()
				record := &seen{all: map[string]*strings.Builder{}}
				c := cloud.Open(t, t.TempDir(), record.wrap)
				other := httptest.NewServer(record.wrap("another host", http.NotFoundHandler()))
				defer other.Close()
				u := c.NewClient(t, backend, cloud.Lithops(t, ""))
				u.Login(t)
				plant(t, u, backend)
				setting := "IBMCLOUD_TRACE=true"
				if trace == "file" {
					setting = "IBMCLOUD_TRACE=" + filepath.Join(u.Home, "trace.log")
				}
				env := []string{setting, "IBMCLOUD_API_KEY=" + planted["CLI's API key"], "BLUEMIX_API_KEY=" + planted["CLI's API key"]}
				for _, trouble := range serverBehaviors(other.URL) {
					for _, p := range c.Proxies {
						p.Inject(trouble)
					}
					for _, line := range lines {
						ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // repeated retries send nothing new
						a := u.Binary(ctx, t, line, append(env, "IBMCLOUD_HTTP_TIMEOUT=5")...)
						cancel()
						n.add(1, 0)
						if trace == "true" && line == "list" && trouble == nil && !strings.Contains(a.Err, "REQUEST") && !strings.Contains(a.Err, "GET ") {
							t.Errorf("no trace: %s", a.Err)
						}
						for _, name := range find(a.Out+a.Err, planted) {
							n.add(0, 1)
							t.Errorf("%s in the output of '%s':\n%s%s", name, line, a.Out, a.Err)
						}
					}
				}
				for service, text := range record.all {
					n.add(1, 0)
					for _, name := range find(text.String(), planted) {
						if !slices.Contains(allowed[name], service) {
							n.add(0, 1)
							t.Errorf("%s was sent to %s", name, service)
						}
					}
				}
				n.add(files(t, u))
			})
		}
	}
}

// plant writes the secrets to the locations where users keep them.
func plant(t *testing.T, u *cloud.Client, backend string) {
	t.Helper()
	config := u.Cloud.ClientConfig(backend)
	docker := fmt.Sprintf(", docker_server: %q, docker_user: me, docker_password: %q}", u.Cloud.Host(cloud.Registry), planted["registry password"])
	for _, section := range []string{"\nopenwhisk: ", "\nibm_cf: ", "\ncode_engine: "} {
		if head, rest, ok := strings.Cut(config, section); ok {
			line, tail, _ := strings.Cut(rest, "\n")
			config = head + section + strings.TrimSuffix(line, "}") + docker + "\n" + tail
		}
	}
	u.Write(t, ".lithops/config", config)
	auth := base64.StdEncoding.EncodeToString([]byte("me:" + planted["Docker password"]))
	u.Write(t, ".docker/config.json", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, u.Cloud.Host(cloud.Registry), auth))
}

// serverBehaviors returns server behaviors: no fault, errors that repeat the request, and a redirect to another host.
func serverBehaviors(other string) []func(proxy.Request) proxy.Fault {
	always := func(f proxy.Fault) func(proxy.Request) proxy.Fault {
		return func(proxy.Request) proxy.Fault { return f }
	}
	echo := func(status int) proxy.Fault {
		return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":%[1]q,"errorMessage":%[2]q,"code":"x","errors":[{"code":"x","message":%[1]q},{"code":"y","message":%[2]q}]}`,
				"You sent "+r.Header.Get("Authorization"), "You sent "+string(body[:min(len(body), 2000)]))
		}
	}
	redirect := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, other+"/stolen", http.StatusTemporaryRedirect)
	}
	return []func(proxy.Request) proxy.Fault{nil, always(echo(401)), always(echo(400)), always(redirect)}
}

// files searches every file of the home directory that the test did not create, and checks the modes of those with
// secrets.
func files(t *testing.T, u *cloud.Client) (searched, found int) {
	t.Helper()
	ours := []string{".lithops/config", ".docker/config.json", ".bluemix/config.json"}
	err := filepath.WalkDir(u.Home, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, _ := filepath.Rel(u.Home, path)
		if slices.Contains(ours, name) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched++
		for _, secret := range find(string(data), planted) {
			found++
			t.Errorf("%s in the file %s", secret, name)
		}
		if info, err := d.Info(); name == "trace.log" && (err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0) {
			t.Errorf("the trace has mode %v and %d bytes", info.Mode(), info.Size())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return searched, found
}
