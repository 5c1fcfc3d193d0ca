package images_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/test/harness"
)

// relay forwards connections until it is cut.
type relay struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	// cutAfter is the number of bytes from the client after which a connection is cut, at most maxCuts times. cuts
	// counts them.
	cutAfter, maxCuts int64
	cuts              atomic.Int64
}

func newRelay(t *testing.T, network, address, target string) *relay {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l}
	t.Cleanup(r.cut)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(network, target)
			if err != nil {
				_ = in.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, in, out)
			r.mu.Unlock()
			go r.copy(out, in)
			go func() { _, _ = io.Copy(in, out); closeBoth(in, out) }()
		}
	}()
	return r
}

func (r *relay) copy(out, in net.Conn) {
	defer closeBoth(in, out)
	if r.cutAfter > 0 {
		if n, err := io.CopyN(out, in, r.cutAfter); err != nil || n < r.cutAfter {
			return
		}
		if r.cuts.Add(1) <= r.maxCuts {
			return
		}
	}
	_, _ = io.Copy(out, in)
}

func closeBoth(a, b net.Conn) { _, _ = a.Close(), b.Close() }

// cut closes every connection and the listener.
func (r *relay) cut() {
	_ = r.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
}

func TestEngineGone(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		harness.NoContainers(t)
		socket := filepath.Join(t.TempDir(), "d.sock")
		r := newRelay(t, "unix", socket, "/var/run/docker.sock")
		b := builder(t, images.Options{Getenv: env("DOCKER_HOST", "unix://"+socket, "DOCKER_BUILDKIT", getenv("DOCKER_BUILDKIT"))})
		dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN echo started; sleep 300\n"})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		_, err := b.Build(ctx, entity.ImageBuild{Image: image(t), Context: dir, NoCache: true}, &watcher{word: "started", then: r.cut})
		wants(t, err, fault.Unavailable, socket, "docker info")
		t.Log(detail(err))
	})
}

func TestNoEngine(t *testing.T) {
	dir := contextDir(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	_, _, err := build(t, builder(t, images.Options{Getenv: env("DOCKER_HOST", "unix:///nowhere/docker.sock")}),
		entity.ImageBuild{Image: "user/name:1", Context: dir})
	wants(t, err, fault.Unavailable, "/nowhere/docker.sock", "DOCKER_HOST", "no such socket", "systemctl start docker")
}

// TestRefusedPush uses a registry that refuses requests in the middle of a push. The fault reports it, and the next run
// resumes.
func TestRefusedPush(t *testing.T) {
	harness.NoContainers(t)
	for _, it := range []struct {
		name   string
		status int
		body   string
		kind   fault.Kind
		words  []string
	}{
		{"denied", http.StatusForbidden, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`, fault.Denied, []string{"docker login"}},
		{"full", http.StatusInsufficientStorage, `{"errors":[{"code":"UNKNOWN","message":"no space left on device"}]}`, fault.Failed, []string{"no space left"}},
		{"name", http.StatusNotFound, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`, fault.Invalid, []string{"rejected"}},
	} {
		t.Run(it.name, func(t *testing.T) {
			target, err := url.Parse("http://" + testEngine.registry)
			if err != nil {
				t.Fatal(err)
			}
			var refusing atomic.Bool
			refusing.Store(true)
			through := httputil.NewSingleHostReverseProxy(target)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if refusing.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(it.status)
					_, _ = io.WriteString(w, it.body)
					return
				}
				through.ServeHTTP(w, r) // with the client's own Host, because the registry's responses contain it
			}))
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN head -c 100000 /dev/urandom >/a\n"})
			b := builder(t, images.Options{Server: host, User: testEngine.user, Password: testEngine.password})
			spec := entity.ImageBuild{Image: strings.Replace(image(t), testEngine.registry, host, 1), Context: dir, Push: true}
			t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", spec.Image).Run() })
			_, _, err = build(t, b, spec)
			wants(t, err, it.kind, append(it.words, host)...)
			t.Log(detail(err))
			refusing.Store(false)
			if built, out, err := build(t, b, spec); err != nil || built.Digest == "" {
				t.Errorf("the second run does not go on: %+v %v\n%s", built, err, out)
			}
		})
	}
}

// TestBrokenPush breaks connections to the registry in the middle of layers. The push resumes and succeeds. The test
// mostly waits for the engine's own pauses.
func TestBrokenPush(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "tcp", "127.0.0.1:0", testEngine.registry)
	r.cutAfter, r.maxCuts = 200_000, 12 // more than the engine's own five attempts per layer
	through := r.Addr().String()
	dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN head -c 3000000 /dev/urandom >/a\nRUN head -c 3000000 /dev/urandom >/b\n"})
	var mu sync.Mutex
	var warned []string
	b := builder(t, images.Options{Server: through, User: testEngine.user, Password: testEngine.password, Warn: func(m i18n.Message) {
		mu.Lock()
		defer mu.Unlock()
		warned = append(warned, m.String())
	}})
	name := strings.Replace(image(t), testEngine.registry, through, 1)
	built, out, err := build(t, b, entity.ImageBuild{Image: name, Context: dir, Push: true, NoCache: true})
	if err != nil {
		t.Fatalf("after %d cuts: %s\n%s", r.cuts.Load(), detail(err), out)
	}
	t.Logf("%d cuts, warned %q", r.cuts.Load(), warned)
	if r.cuts.Load() < r.maxCuts || built.Digest == "" {
		t.Errorf("%d cuts, %+v", r.cuts.Load(), built)
	}
}
