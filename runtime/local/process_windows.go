package local

import (
	"os"
	"os/exec"
	"syscall"
)

const detachedProcess = 0x00000008 // DETACHED_PROCESS of CreateProcess

// detach runs the endpoint without a console, so that closing the window or pressing Ctrl-C does not affect it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess, HideWindow: true}
}

// closeInherited does nothing: os/exec specifies the handles that a child process inherits.
func closeInherited() {}

// setUmask does nothing: files inherit the permissions of their directory.
func setUmask() {}

// terminate kills a process, because Windows has no SIGTERM. It returns nil if the process has already ended.
func terminate(pid int) error { return kill(pid) }

// kill kills a process. It returns nil if the process has already ended.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil // it has ended
	}
	return p.Kill()
}

// checkOwner does nothing: the directory is in the user's profile, whose access control lists protect it.
func checkOwner(string) error { return nil }
