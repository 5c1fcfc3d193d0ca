//go:build !windows

package local

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// detach gives the endpoint a session of its own: closing the terminal, or Ctrl-C in it, does not reach it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// private makes what this process and all that it starts write readable for their user only, that of actions too.
func private() { syscall.Umask(0o077) }

func terminate(pid int) error {
	err := syscall.Kill(pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// ownedByUs refuses a folder that another user made, who could read and replace what is in it.
func ownedByUs(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
		return &os.PathError{Op: "use", Path: dir, Err: errors.New("the folder belongs to another user")}
	}
	return nil
}
