package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

func options(home string, pairs ...string) Options {
	return Options{Home: home, Getenv: func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}}
}

func write(t *testing.T, path string, value any) {
	t.Helper()
	data, ok := value.([]byte)
	if !ok {
		data, _ = json.Marshal(value)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func addContext(t *testing.T, dir, name, host string, tls bool) {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	write(t, filepath.Join(dir, "contexts/meta", id, "meta.json"),
		map[string]any{"Name": name, "Endpoints": map[string]any{"docker": map[string]any{"Host": host}}})
	if tls {
		write(t, filepath.Join(dir, "contexts/tls", id, "docker/ca.pem"), []byte("x"))
	}
}

func TestCandidates(t *testing.T) {
	home := t.TempDir()
	config := filepath.Join(home, ".docker")
	addContext(t, config, "remote", "ssh://me@host", false)
	addContext(t, config, "secured", "tcp://host:2376", true)
	other := t.TempDir()
	write(t, filepath.Join(other, "config.json"), map[string]any{"currentContext": "mine"})
	addContext(t, other, "mine", "unix:///mine.sock", false)

	for _, it := range []struct {
		name string
		o    Options
		want []string // hosts
	}{
		{"DOCKER_HOST wins", options(home, "DOCKER_HOST", "tcp://h:1", "DOCKER_CONTEXT", "remote"), []string{"tcp://h:1"}},
		{"no scheme", options(home, "DOCKER_HOST", "h:1"), []string{"tcp://h:1"}},
		{"blanks", options(home, "DOCKER_HOST", " tcp://h:1\n"), []string{"tcp://h:1"}},
		{"nothing but blanks", options(home, "DOCKER_HOST", "  ", "CONTAINER_HOST", "unix:///p"), []string{"unix:///p"}},
		{"no host", options(home, "DOCKER_HOST", ":1"), []string{"tcp://localhost:1"}},
		{"no port", options(home, "DOCKER_HOST", "tcp://h"), []string{"tcp://h:2375"}},
		{"no port with TLS", options(home, "DOCKER_HOST", "h", "DOCKER_TLS_VERIFY", "1"), []string{"tcp://h:2376"}},
		{"DOCKER_CONTEXT", options(home, "DOCKER_CONTEXT", "remote"), []string{"ssh://me@host"}},
		{"currentContext below DOCKER_CONFIG", options(home, "DOCKER_CONFIG", other), []string{"unix:///mine.sock"}},
		{"DOCKER_CONTEXT over currentContext", options(home, "DOCKER_CONFIG", other, "DOCKER_CONTEXT", "default", "CONTAINER_HOST", "unix:///p"), []string{"unix:///p"}},
		{"podman's variable", options(home, "CONTAINER_HOST", "unix:///p"), []string{"unix:///p"}},
	} {
		t.Run(it.name, func(t *testing.T) {
			got, err := candidates(it.o)
			if err != nil || len(got) != len(it.want) || got[0].host != it.want[0] {
				t.Fatalf("%+v %v", got, err)
			}
		})
	}

	secured, err := candidates(options(home, "DOCKER_CONTEXT", "secured"))
	if err != nil || !strings.HasSuffix(secured[0].ca, "/docker/ca.pem") || secured[0].key != "" {
		t.Errorf("%+v %v", secured, err)
	}
	verified, err := candidates(options(home, "DOCKER_HOST", "tcp://h:1", "DOCKER_TLS_VERIFY", "1", "DOCKER_CERT_PATH", "/c"))
	if err != nil || verified[0].ca != "/c/ca.pem" || verified[0].key != "" || !verified[0].tls || verified[0].unverified {
		t.Errorf("%+v %v", verified, err)
	}
	if _, err := candidates(options(home, "DOCKER_CONTEXT", "gone")); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "gone") {
		t.Error(err)
	}
	broken := t.TempDir()
	write(t, filepath.Join(broken, "config.json"), []byte("{"))
	if _, err := candidates(options(home, "DOCKER_CONFIG", broken)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "config.json") {
		t.Error(err)
	}
}

func TestSockets(t *testing.T) {
	var hosts []string
	for _, c := range sockets(options("/home/me", "XDG_RUNTIME_DIR", "/run/user/7"), "linux") {
		hosts = append(hosts, c.host)
	}
	all := strings.Join(hosts, " ")
	for _, want := range []string{"unix:///run/user/7/docker.sock", "unix:///home/me/.docker/run/docker.sock",
		"unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not among %s", want, all)
		}
	}
	if hosts[0] != "unix:///var/run/docker.sock" {
		t.Errorf("first is %s", hosts[0])
	}
	if c := sockets(options(""), "windows"); !strings.HasPrefix(c[0].host, "npipe:") {
		t.Error(c)
	}
}

// Find is tested with an engine on a socket, without an engine, and with an address that is not an engine.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Ostype", "linux")
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })

	e, err := Find(context.Background(), options(dir, "DOCKER_HOST", "unix://"+socket))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.ClientVersion() != "1.41" || !e.BuildKit() || !e.Local() || e.Origin != "DOCKER_HOST" {
		t.Errorf("%+v, version %s", e, e.ClientVersion())
	}

	_, err = Find(context.Background(), options(dir, "DOCKER_HOST", "unix://"+dir+"/none.sock"))
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || len(f.Details) != 1 || !strings.Contains(f.Details[0], "none.sock (DOCKER_HOST): no such socket") {
		t.Errorf("%v %+v", err, f)
	}
	_, err = Find(context.Background(), options(dir, "DOCKER_HOST", "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY", "1", "DOCKER_CERT_PATH", dir))
	if !errors.As(err, &f) || len(f.Details) != 1 || !strings.Contains(f.Details[0], filepath.Join(dir, "ca.pem")+": no such file") {
		t.Errorf("missing CA certificate: %v %+v", err, f)
	}
	_, err = Find(context.Background(), options(dir, "DOCKER_HOST", "nonsense"))
	if !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = Find(ended, options(dir, "DOCKER_HOST", "unix://"+socket)); fault.KindOf(err) != fault.Interrupted {
		t.Error(err)
	}
}

func TestRemoteEngineWithoutTLSIsExposed(t *testing.T) {
	for host, want := range map[string]bool{
		"unix:///var/run/docker.sock": false, "npipe:////./pipe/docker_engine": false, "tcp://127.0.0.1:2375": false, "tcp://localhost:2375": false,
		"tcp://[::1]:2375": false, "tcp://192.0.2.1:2375": true, "http://docker:2375": true, "tcp://127.0.0.1.example:2375": true, "tcp://u:p@docker:2375": true,
		"tcp://127.0.0.1@docker:2375": true, "192.0.2.1:2375": true,
	} {
		if got := (candidate{host: host}).exposed(); got != want {
			t.Errorf("%s: exposed %v, want %v", host, got, want)
		}
		if (candidate{host: host, tls: true}).exposed() {
			t.Errorf("%s is exposed with TLS", host)
		}
	}
}

// Errors do not contain the password in an engine's address.
func TestErrorsContainNoPassword(t *testing.T) {
	for _, host := range []string{"tcp://u:SECRET@127.0.0.1:1", "http://u:SECRET@127.0.0.1:1", "tcp://u:SEC#SECRET@127.0.0.1:1", "u:SECRET@127.0.0.1:1", "ssh://u:SECRET@127.0.0.1:1", "nonsense://u:SECRET@127.0.0.1:1"} {
		_, err := Find(t.Context(), options(t.TempDir(), "DOCKER_HOST", host))
		var f *fault.Fault
		if !errors.As(err, &f) || strings.Contains(fmt.Sprintf("%v %v %v", f, f.Details, f.Recovery), "SECRET") || len(f.Details) == 0 || !strings.Contains(f.Details[0], "127.0.0.1:1") {
			t.Errorf("%s: %v %q", host, err, f.Details)
		}
	}
}

// TLS works without a client key: with only a CA certificate, and without verification.
func TestTLSWithoutClientKey(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Api-Version", "1.41") }))
	t.Cleanup(server.Close)
	host := "tcp://" + server.Listener.Addr().String()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	home := t.TempDir()
	docker := filepath.Join(home, ".docker")
	addContext(t, docker, "authority", host, true)
	addContext(t, docker, "unverified", host, false)
	id := func(name string) string { sum := sha256.Sum256([]byte(name)); return hex.EncodeToString(sum[:]) }
	write(t, filepath.Join(docker, "contexts/tls", id("authority"), "docker/ca.pem"), ca)
	write(t, filepath.Join(docker, "contexts/meta", id("unverified"), "meta.json"),
		map[string]any{"Name": "unverified", "Endpoints": map[string]any{"docker": map[string]any{"Host": host, "SkipTLSVerify": true}}})
	write(t, filepath.Join(home, "certs/ca.pem"), ca)
	for name, o := range map[string]Options{
		"only ca.pem in a context":         options(home, "DOCKER_CONTEXT", "authority"),
		"a context without verification":   options(home, "DOCKER_CONTEXT", "unverified"),
		"only ca.pem in the environment":   options(home, "DOCKER_HOST", host, "DOCKER_TLS_VERIFY", "1", "DOCKER_CERT_PATH", filepath.Join(home, "certs")),
		"no verification by the variables": options(home, "DOCKER_HOST", host, "DOCKER_TLS", "1"),
	} {
		e, err := Find(t.Context(), o)
		if err != nil {
			var f *fault.Fault
			_ = errors.As(err, &f)
			t.Errorf("%s: %v %q", name, err, f.Details)
			continue
		}
		if e.Exposed {
			t.Errorf("%s: exposed", name)
		}
		_ = e.Close()
	}
}
