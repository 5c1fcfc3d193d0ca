// Package images_test builds runtime images with a real Docker Engine and a real registry with a password, both on
// loopback. bin/test-engine starts them; without them these tests fail.
package images_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/test/harness"
)

// testEngine describes the environment that bin/test-engine starts.
var testEngine struct {
	registry, user, password, base string
	api                            *client.Client
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	e, err := harness.StartEngine()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	testEngine.registry, testEngine.user, testEngine.password, testEngine.base = e.Registry, e.User, e.Password, e.Base
	if testEngine.api, err = client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer testEngine.api.Close()
	return m.Run()
}

// home creates a home directory with a 'docker login' for the registry.
func home(t *testing.T, user, password string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	auth := map[string]any{"auths": map[string]any{testEngine.registry: map[string]string{"username": user, "password": password}}}
	data, _ := json.Marshal(auth)
	if err := os.WriteFile(filepath.Join(dir, ".docker", "config.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// env returns a lookup in the process's environment with changes.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		switch name {
		case "DOCKER_CONFIG", "DOCKER_CONTEXT":
			return ""
		}
		return os.Getenv(name)
	}
}

func builder(t *testing.T, o images.Options) *images.Builder {
	t.Helper()
	if o.Getenv == nil {
		o.Getenv = env()
	}
	if o.Home == "" {
		o.Home = home(t, testEngine.user, testEngine.password)
	}
	b := images.New(o)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// image returns a unique image name for a test, and deletes the image afterwards.
func image(t *testing.T) string {
	t.Helper()
	name := testEngine.registry + "/lithops/" + strings.ToLower(regexp.MustCompile(`\W+`).ReplaceAllString(t.Name(), "-")) + ":1"
	t.Cleanup(func() {
		_ = exec.Command("docker", "image", "rm", "-f", name).Run()
	})
	return name
}

// contextDir writes files into a new directory.
func contextDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// both runs a test with BuildKit and with the classic builder.
func both(t *testing.T, f func(t *testing.T, getenv func(string) string)) {
	for _, it := range []struct{ name, value string }{{"buildkit", "1"}, {"classic", "0"}} {
		t.Run(it.name, func(t *testing.T) { f(t, env("DOCKER_BUILDKIT", it.value)) })
	}
}

func build(t *testing.T, b *images.Builder, spec entity.ImageBuild) (entity.ImageBuilt, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var out bytes.Buffer
	built, err := b.Build(ctx, spec, &out)
	return built, out.String(), err
}

// wants checks the kind and the text of a fault.
func wants(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it succeeded")
	}
	if got := fault.KindOf(err); got != kind {
		t.Errorf("kind %q instead of %q: %v", got, kind, err)
	}
	text := err.Error()
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		text += "\n" + f.Recovery.String() + "\n" + strings.Join(f.Details, "\n")
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}
