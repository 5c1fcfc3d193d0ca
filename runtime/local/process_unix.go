//go:build !windows

package local

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// detach returns the endpoint a session of its own: closing the terminal, or Ctrl-C in it, does not reach it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// keepDescriptors keeps from programs that are started what this process has inherited beyond standard input, output
// and error: a lock of the shell's would be held, and its $(...) go on, for as long as the endpoint or an action runs.
// What Go opens is closed in other programs anyway.
func keepDescriptors() {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // Linux and macOS have it
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// private makes what this process and all that it starts write readable for their user only, that of actions too.
func private() { syscall.Umask(0o077) }

// terminate asks a process to end; kill ends it. One that has ended is no error.
func terminate(pid int) error { return signal(pid, syscall.SIGTERM) }

func kill(pid int) error { return signal(pid, syscall.SIGKILL) }

func signal(pid int, s syscall.Signal) error {
	err := syscall.Kill(pid, s)
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
		return &os.PathError{Op: "use", Path: dir, Err: errors.New("the directory belongs to another user")}
	}
	return nil
}
