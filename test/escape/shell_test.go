//go:build linux

package escape

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// TestShellGetsItsDescriptorsBack starts the endpoint from a shell with open descriptors, such as a lock or the pipe of
// $(...). The endpoint must not keep them open after the command has ended.
func TestShellGetsItsDescriptorsBack(t *testing.T) {
	s := harness.NewStage(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Bin, "local", "start", "--python", harness.Python(t, "3.11"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Home, "IBMCLOUD_HOME=" + s.Home}
	cmd.ExtraFiles = []*os.File{w}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the endpoint holds a descriptor of the shell that started it: %v", err)
	}
}

// TestActionsGetNoDescriptors runs the endpoint in the foreground, where it inherits the shell's descriptors.
func TestActionsGetNoDescriptors(t *testing.T) {
	s := harness.NewStage(t)
	file, err := os.Create(filepath.Join(s.Dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(s.Bin, "local", "run", "--dir", s.LocalDir(), "--python", harness.Python(t, "3.11"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Home, "IBMCLOUD_HOME=" + s.Home}
	cmd.ExtraFiles = []*os.File{file, file, file, file} // a worker opens two descriptors itself
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Try(time.Minute, s.Bin, "local", "stop")
		_ = cmd.Wait()
	})
	runtimetest.Eventually(t, "the endpoint runs", func() bool {
		_, err := os.Stat(filepath.Join(s.LocalDir(), "endpoint.json"))
		return err == nil
	})
	e := endpoint{s, s.NewClient(t), t}
	e.put("a", `
import os
def main(a):
    found = {}
    for pid in (os.getpid(), os.getppid()):
        for fd in os.listdir('/proc/%d/fd' % pid):
            try:
                found['%d/%s' % (pid, fd)] = os.readlink('/proc/%d/fd/%s' % (pid, fd))
            except OSError:
                pass
    return found
`, time.Minute)
	var found map[string]string
	e.run("a", &found)
	for fd, target := range found {
		if target == file.Name() {
			t.Errorf("descriptor %s of an action is the shell's", fd)
		}
	}
	if len(found) < 6 {
		t.Errorf("only these descriptors were found: %v", found)
	}
}

// TestActionsSeeNoSecretOfTheShell reads the environment of an action and of the endpoint itself from inside an action.
func TestActionsSeeNoSecretOfTheShell(t *testing.T) {
	const secret = "planted-0f91c2"
	planted := []string{"LITHOPS_CONFIG", "AWS_SECRET_ACCESS_KEY", "DOCKER_PASSWORD", "GITHUB_TOKEN", "IBMCLOUD_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"}
	var environment []string
	for _, name := range planted {
		environment = append(environment, name+"="+secret)
	}
	e := start(t, append(environment, "DOCKER_CONFIG="+t.TempDir())...)
	e.put("a", fmt.Sprintf(`
import os
def main(a):
    found = {}
    for pid in (os.getpid(), os.getppid(), %d):
        with open('/proc/%%d/environ' %% pid) as f:
            found[str(pid)] = f.read().split('\0')
    return found
`, e.PID), time.Minute)
	var found map[string][]string
	e.run("a", &found)
	for pid, pairs := range found {
		for _, pair := range pairs {
			if strings.Contains(pair, secret) {
				t.Errorf("process %s has %s", pid, pair)
			}
		}
		if !slices.ContainsFunc(pairs, func(pair string) bool { return strings.HasPrefix(pair, "PATH=") }) {
			t.Errorf("process %s has no PATH: %v", pid, pairs)
		}
	}
	if of := found[fmt.Sprint(e.PID)]; !slices.ContainsFunc(of, func(pair string) bool { return strings.HasPrefix(pair, "DOCKER_CONFIG=") }) {
		t.Errorf("the endpoint does not know where the container engine's configuration is: %v", of)
	}
}
