//go:build !windows

package commands

import (
	"os/exec"
	"runtime"
	"syscall"
)

// browserCommand returns the command that opens an address in the user's default browser. It returns nil if the system
// has no such command. The command runs in a new session, so that Ctrl-C in this terminal does not end the browser.
func browserCommand(address string) *exec.Cmd {
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
