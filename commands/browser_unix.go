//go:build !windows

package commands

import (
	"os/exec"
	"runtime"
	"syscall"
)

// opener is the command that opens an address as this system's user would have it; nil when there is none. It is in a
// session of its own: a Ctrl-C here does not end the browser.
func opener(address string) *exec.Cmd {
	names := []string{"xdg-open", "wslview"}
	if runtime.GOOS == "darwin" {
		names = []string{"open"}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			cmd := exec.Command(path, address)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			return cmd
		}
	}
	return nil
}
