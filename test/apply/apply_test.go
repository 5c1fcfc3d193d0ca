// Package apply tests 'apply' with the built binary, a real engine and a real registry. 'apply' builds images from
// directories and deploys them as runtimes. A second run changes nothing.
package apply

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
	"fn-runtime/test/schema"
)

type result struct {
	Changed bool
	Items   []struct{ Kind, Name, Image, Change, Status string }
}

func TestApplyBuildsDirectories(t *testing.T) {
	engine := harness.RequireEngine(t)
	s, check := harness.NewStage(t), &schema.Check{}
	s.Env = []string{"VIRTUAL_ENV=" + harness.Venv(t, "3.11", "lithops", "boto3")}
	engine.Login(t, s)
	s.FnRuntime("local", "start", "--invoker", "docker", "-q")
	t.Cleanup(func() { s.FnRuntime("local", "stop", "-q") })
	image := engine.Registry + "/lithops/apply-folder:1"
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", image).Run() })
	s.FnRuntime("init", "image", "-q")
	file := filepath.Join(s.Dir, "runtimes.yaml")
	text := fmt.Sprintf("runtimes:\n- image: %s\n  memory: [256, 512]\n  build:\n    context: image\n    args: {BASE: %q}\n", image, engine.Base)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	apply := func(status int, args ...string) (r result) {
		t.Helper()
		got := s.Try(10*time.Minute, s.Bin, append([]string{"apply", file, "-b", "local", "--output", "json"}, args...)...)
		check.Valid(t, "apply-result", got.Stdout)
		if err := json.Unmarshal([]byte(got.Stdout), &r); err != nil || got.Code != status {
			t.Fatalf("exit %d, %v\n%s%s", got.Code, err, got.Stdout, got.Stderr)
		}
		return r
	}
	deployed := func() string {
		t.Helper()
		var list []struct{ Name, Image, Digest, State string }
		out := s.FnRuntime("list", "-b", "local", "--output", "json").Stdout
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 2 {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, r := range list {
			if r.Name != image || r.State != "ready" || r.Digest == "" || r.Image != strings.TrimSuffix(image, ":1")+"@"+r.Digest || r.Digest != list[0].Digest {
				t.Errorf("got %+v, want %s ready at the digest %s", r, image, list[0].Digest)
			}
		}
		return list[0].Digest
	}

	plan, first := apply(0, "--dry-run"), apply(0)
	if len(plan.Items) != len(first.Items) || first.Items[1].Kind != "image" && first.Items[0].Kind != "image" {
		t.Errorf("planned %+v, done %+v", plan.Items, first.Items)
	}
	one := deployed()

	// No request is sent to the engine or the registry if the directory has not changed.
	was := s.Env
	s.Env = append(s.Env, "DOCKER_HOST=tcp://127.0.0.1:1", "DOCKER_CONFIG="+t.TempDir())
	if again := apply(0); again.Changed {
		t.Errorf("the second run changed %+v", again.Items)
	}
	s.Env = was

	requirements := filepath.Join(s.Dir, "image", "requirements.txt")
	data, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(requirements, append(data, []byte("toolz\n")...), 0o600); err != nil {
		t.Fatal(err)
	}
	if third := apply(0); !third.Changed {
		t.Error("the change in the directory was not detected")
	}
	if two := deployed(); two == one {
		t.Error("the runtimes still run the first image")
	}

	// A failing build leaves the deployed runtime unchanged.
	if err := os.WriteFile(filepath.Join(s.Dir, "image", "Dockerfile"), []byte("FROM "+engine.Base+"\nRUN exit 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	apply(1, "--prune", "-f")
	deployed()
}
