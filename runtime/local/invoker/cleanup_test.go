package invoker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"fn-runtime/runtime/local/invoke"
	"fn-runtime/runtime/runtimetest"
)

// When a process that contains an invoker is killed, all processes of its action end, and the next invoker removes
// their files.
func TestKilledEndpoint(t *testing.T) {
	if dir := os.Getenv("INVOKER_TEST_DIR"); dir != "" { // this is the process that the test kills
		v, err := New(context.Background(), Options{Kind: Process, Dir: filepath.Join(dir, "workers")})
		if err != nil {
			t.Fatal(err)
		}
		v.Run(context.Background(), action(familyCode(dir)))
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledEndpoint$")
	cmd.Env = append(os.Environ(), "INVOKER_TEST_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pids := []int{awaitPid(t, filepath.Join(dir, "action")), awaitPid(t, filepath.Join(dir, "child")), awaitPid(t, filepath.Join(dir, "away"))}
	cmd.Process.Kill()
	cmd.Wait()
	for _, pid := range pids {
		awaitGone(t, pid)
	}
	v, err := New(t.Context(), Options{Kind: Process, Dir: filepath.Join(dir, "workers")})
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "workers", "*")); len(files) != 1 { // the action proxy
		t.Errorf("the directory contains %v, want only the action proxy", files)
	}
	v.Close(t.Context())
}

// A new invoker kills a process of an earlier worker even if the worker's guard is gone.
func TestNewKillsLeftoverProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "workers")
	cmd := exec.Command("sleep", "60")
	cmd.Env = []string{"PROXY_WORKER=" + filepath.Join(dir, "X")}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v, err := New(t.Context(), Options{Kind: Process, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close(t.Context())
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Error(err)
	}
}

// Close kills a running action together with all processes that it has started.
func TestCloseKillsRunningActions(t *testing.T) {
	dir := t.TempDir()
	v, err := New(t.Context(), Options{Kind: Process, Dir: filepath.Join(dir, "workers")})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := v.Run(context.Background(), action(familyCode(dir)))
		ended <- err
	}()
	pids := []int{awaitPid(t, filepath.Join(dir, "action")), awaitPid(t, filepath.Join(dir, "child")), awaitPid(t, filepath.Join(dir, "away"))}
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the activation returned no error")
	}
	for _, pid := range pids {
		awaitGone(t, pid)
	}
	if _, err := v.Run(t.Context(), action("def main(a):\n return {}")); err == nil {
		t.Error("a closed invoker runs an action")
	}
}

// familyCode returns the code of an action that starts two child processes, one of them in a new session. The PIDs of
// the action and its children are written to files in dir.
func familyCode(dir string) string {
	return fmt.Sprintf(`
import os, subprocess, time
def note(name, pid):
    path = os.path.join(%q, name)
    open(path + '~', 'w').write(str(pid))
    os.rename(path + '~', path)
def main(a):
    note('action', os.getpid())
    note('child', subprocess.Popen(['sleep', '601']).pid)
    note('away', subprocess.Popen(['sleep', '602'], start_new_session=True).pid)
    time.sleep(600)
`, dir)
}

func pidOf(t *testing.T, o invoke.Outcome) int {
	t.Helper()
	var r struct{ Pid int }
	if err := json.Unmarshal(o.Result, &r); err != nil || r.Pid == 0 {
		t.Fatal(string(o.Result))
	}
	return r.Pid
}

func awaitPid(t *testing.T, file string) (pid int) {
	t.Helper()
	runtimetest.Eventually(t, "the file "+file, func() bool {
		raw, err := os.ReadFile(file)
		fmt.Sscan(string(raw), &pid)
		return err == nil
	})
	return pid
}

func awaitGone(t *testing.T, pid int) {
	t.Helper()
	t.Cleanup(func() {
		if p, err := os.FindProcess(pid); err == nil && alive(pid) {
			_ = p.Kill()
		}
	})
	runtimetest.Eventually(t, fmt.Sprintf("process %d has ended", pid), func() bool { return !alive(pid) })
}

// alive reports whether a process runs. A zombie does not count as running.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		p, err := os.FindProcess(pid)
		return runtime.GOOS != "linux" && err == nil && p.Signal(syscall.Signal(0)) == nil
	}
	return !strings.Contains(string(stat), ") Z ")
}
