//go:build !windows

package subprocess

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killable is the environment variable with which the test runs itself as the process that is killed.
const killable = "FN_RUNTIME_TEST_FOLDER"

// A killed process leaves its directory, which its child may still read. NewTempDir removes the directory once the
// child has ended. It keeps directories that are in use or that have no lock file.
func TestDirectoryOfKilledProcessIsRemoved(t *testing.T) {
	if os.Getenv(killable) != "" {
		f, err := NewTempDir()
		if err != nil {
			t.Fatal(err)
		}
		secret := filepath.Join(f.Path, "secret")
		if err := os.WriteFile(secret, []byte("key"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = CatchSignals(t.Context()).Run(Command{Path: "/bin/sh", Args: []string{"-c", `echo "$$ $1"; exec sleep 600`, "sh", secret}, Env: os.Environ()})
		return
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	stranger := filepath.Join(dir, prefix+"stranger") // has no lock file
	if err := os.Mkdir(stranger, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), killable+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	number, secret, _ := strings.Cut(strings.TrimSpace(line), " ")
	child, parseErr := strconv.Atoi(number)
	if err != nil || parseErr != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("got %q: %v", line, err)
	}
	t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })

	next := func() {
		f, err := NewTempDir()
		if err != nil {
			t.Fatal(err)
		}
		f.Remove()
	}
	exists := func() bool { _, err := os.Stat(secret); return err == nil }
	if next(); !exists() {
		t.Error("the directory of a running process was removed")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if next(); !exists() {
		t.Error("the directory of a running child was removed")
	}
	_ = syscall.Kill(child, syscall.SIGKILL)
	for until := time.Now().Add(time.Minute); exists() && time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		next()
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || left[0] != stranger {
		t.Errorf("left: %q (%v), want only the directory without a lock", left, err)
	}
}
