//go:build !windows

package local

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// detach runs the endpoint in a new session, so that closing the terminal or pressing Ctrl-C does not affect it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// closeInherited prevents child processes from inheriting the file descriptors that this process has inherited, except
// stdin, stdout and stderr. Otherwise the endpoint or an action would keep a lock of the shell held, or a $(...) of the
// shell waiting, for as long as it runs. Files that Go opens are not inherited anyway.
func closeInherited() {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // not expected: Linux and macOS have /dev/fd
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// setUmask sets a umask so that only the user can access the files that this process and its child processes, including
// actions, create.
func setUmask() { syscall.Umask(0o077) }

// terminate sends SIGTERM to a process. It returns nil if the process has already ended.
func terminate(pid int) error { return signal(pid, syscall.SIGTERM) }

// kill sends SIGKILL to a process. It returns nil if the process has already ended.
func kill(pid int) error { return signal(pid, syscall.SIGKILL) }

func signal(pid int, s syscall.Signal) error {
	err := syscall.Kill(pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// checkOwner returns an error if a directory belongs to another user, who could read and replace its files.
func checkOwner(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
		return &os.PathError{Op: "use", Path: dir, Err: errors.New("the directory belongs to another user")}
	}
	return nil
}
