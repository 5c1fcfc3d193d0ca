package lithops

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// groups selects the tests of Lithops' own suite whose calls run on the compute service. It excludes tests with data on
// this machine's loopback interface, which a container cannot reach.
const groups = "(test_call_async or test_map.py or test_map_reduce or test_wait or TestConcurrentFuturesLive) and not url"

// TestLithopsInContainers runs the tests of groups and the examples in containers of an image that it builds for them.
func TestLithopsInContainers(t *testing.T) {
	engine := harness.RequireEngine(t)
	image := engine.Registry + "/lithops/" + strings.ToLower(rand.Text()[:8]) + "-suite:1"
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", image).Run() })
	s := newSite(t, "lithops[tests]", "--invoker", "docker")
	engine.Login(t, s.Stage)
	s.FnRuntime("init", "suite", "--python", "3.11", "-q")
	s.append(t, filepath.Join(s.Dir, "suite", "requirements.txt"), "pytest\n") // some tests run functions that are defined in the test modules
	s.FnRuntime("build", image, "suite", "--build-arg", "BASE="+engine.Base, "-q")
	s.FnRuntime("deploy", image, "-b", "local", "-q")
	config := filepath.Join(s.Home, ".lithops", "config")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(text), "\nopenwhisk:\n", "\nopenwhisk:\n  runtime: "+image+"\n", 1)
	if err := os.WriteFile(config, []byte(own), 0o600); err != nil || own == string(text) {
		t.Fatalf("the configuration has no section for the runtime: %v\n%s", err, text)
	}
	s.examples(t, func(name string) bool { return !strings.HasPrefix(name, "mp_") && name != "joblib_backend" }) // those need Redis
	s.suite(t, groups, 100)
}
