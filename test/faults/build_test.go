package faults

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

// engine is the key of the Docker Engine among the proxies of a cloud.
const engine = "engine"

// connect puts a proxy in front of the real Docker Engine.
func (s *stage) connect() error {
	p, err := proxy.New(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), nil)
	if err == nil {
		s.Cloud.Proxies[engine] = p
	}
	return err
}

// Command returns a run of the built binary that has not started. If the stage has an engine, its address is in the
// environment.
func (s *stage) Command(t testing.TB, line string) *exec.Cmd {
	t.Helper()
	cmd := s.Client.Command(t, line)
	if p := s.Cloud.Proxies[engine]; p != nil {
		cmd.Env = append(cmd.Env, "DOCKER_HOST=tcp"+strings.TrimPrefix(p.URL, "http"))
	}
	return cmd
}

// Binary runs the built binary with additional environment variables. The binary is killed when ctx ends.
func (s *stage) Binary(ctx context.Context, t testing.TB, line string, more ...string) cloud.Result {
	t.Helper()
	return cloud.Finish(ctx, t, s.Command(t, line), more...)
}

// registryToken is the token that the registry's token service issues to every client.
const registryToken = "a-token-of-the-registry"

// tokens puts a token service in front of the registry, like those of large registries: a request without a token
// gets a 401 that names the token service.
func tokens(service string, next http.Handler) http.Handler {
	if service != cloud.Registry {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"token": %q, "access_token": %q, "expires_in": 300}`, registryToken, registryToken)
		case r.Header.Get("Authorization") != "Bearer "+registryToken:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="registry"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// built is the repository of the images that the stories build.
const built = "me/built"

// writeContext writes the build context of the stories.
func writeContext(t *testing.T, s *stage) {
	s.Write(t, "image/Dockerfile", "FROM scratch\nCOPY a /a\n")
	s.Write(t, "image/a", "a\n")
}

// needEngine requires an engine, and deletes the built images at the end.
func needEngine(t *testing.T) {
	harness.RequireEngine(t)
	t.Cleanup(func() {
		out, _ := exec.Command("docker", "image", "ls", "--quiet", "--filter", "reference=127.0.0.1:*/"+built).Output()
		for id := range strings.FieldsSeq(string(out)) {
			_ = exec.Command("docker", "image", "rm", "--force", id).Run()
		}
	})
}

// wrongDigest returns an error if a successful build reports another digest than the registry has.
func wrongDigest(s *stage, a cloud.Result) error {
	var doc struct{ Digest string }
	if err := json.Unmarshal([]byte(a.Out), &doc); err != nil {
		return err
	}
	images, err := s.Cloud.Images()
	if there := images[built+":1"]; err == nil && (there == "" || there != doc.Digest) {
		err = fmt.Errorf("the output has digest %q, the registry %q", doc.Digest, there)
	}
	return err
}
