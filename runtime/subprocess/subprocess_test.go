//go:build !windows

package subprocess

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a shell script as a child while signals are caught.
func run(t *testing.T, script string, args ...string) int {
	t.Helper()
	signals := CatchSignals(t.Context())
	defer signals.Release()
	status, err := signals.Run(Command{Path: "/bin/sh", Args: append([]string{"-c", script, "sh"}, args...), Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestRunReturnsTheStatusOfTheProgram(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 3": 3, "kill -TERM $$": 128 + 15, "kill -KILL $$": 128 + 9} {
		if got := run(t, script); got != want {
			t.Errorf("%q: status %d, want %d", script, got, want)
		}
	}
}

func TestArgumentsAreUnchanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "args")
	run(t, `out=$1; shift; for a; do printf '<%s>' "$a"; done > "$out"`, file, "a b", "", "--x=*", "$HOME")
	data, err := os.ReadFile(file)
	if want := "<a b><><--x=*><$HOME>"; err != nil || string(data) != want {
		t.Errorf("the program got %s, want %s (%v)", data, want, err)
	}
}

// Every signal that this process receives is forwarded to the child, and the child decides how to react.
func TestSignalsAreForwarded(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1} {
		ready := filepath.Join(t.TempDir(), "ready")
		go func() {
			for ; ; time.Sleep(5 * time.Millisecond) {
				if _, err := os.Stat(ready); err == nil {
					_ = syscall.Kill(os.Getpid(), s)
					return
				}
			}
		}()
		got := run(t, strings.ReplaceAll(`trap 'exit 7' NAME; touch "$1"; while :; do sleep 0.02; done`, "NAME", name), ready)
		if got != 7 {
			t.Errorf("%s: status %d, want that of the program's own handler, 7", name, got)
		}
	}
}

func TestMissingProgramIsAnError(t *testing.T) {
	signals := CatchSignals(t.Context())
	defer signals.Release()
	if _, err := signals.Run(Command{Path: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a missing program was run")
	}
}
