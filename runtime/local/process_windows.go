package local

import (
	"os"
	"os/exec"
	"syscall"
)

const detachedProcess = 0x00000008 // DETACHED_PROCESS of CreateProcess

// detach returns the endpoint no console: closing the window, or Ctrl-C in it, does not reach it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess, HideWindow: true}
}

// keepDescriptors does nothing: os/exec names the handles that a program gets, and Windows gives it no other.
func keepDescriptors() {}

// private does nothing: files have the rights of their folder.
func private() {}

// terminate ends a process, which cannot be asked to. One that has ended is no error.
func terminate(pid int) error { return kill(pid) }

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil // it has ended
	}
	return p.Kill()
}

// ownedByUs is left to the access lists of the user's profile, below which the folder lies.
func ownedByUs(string) error { return nil }
