package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Processes returns the command lines of all processes whose command line or environment contains home. It returns
// nothing on systems other than Linux.
func Processes(home string) (all []string) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if strings.Contains(string(line)+string(env), home) {
			all = append(all, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return all
}

// NoProcesses fails the test if a process still runs in home after a minute.
func NoProcesses(t testing.TB, home string) {
	t.Helper()
	var left []string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if left = Processes(home); len(left) == 0 {
			return
		}
	}
	t.Errorf("processes are left: %v", left)
}
