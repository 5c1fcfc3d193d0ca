//go:build !windows

package subprocess

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// forwarded is the list of signals that are forwarded to the child.
var forwarded = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

// alreadyDelivered reports whether the terminal has already sent a signal to the child. The terminal sends Ctrl-C and
// Ctrl-\ to every process of the foreground process group, and the child is in the group of this process.
func alreadyDelivered(s os.Signal) bool {
	return (s == syscall.SIGINT || s == syscall.SIGQUIT) && foreground()
}

func foreground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

func statusOf(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ExitCode()
}

// inheritOnExec keeps an open file open in child processes under the same descriptor, so that the child does not reuse
// its number.
func inheritOnExec(f *os.File) { _, _ = unix.FcntlInt(f.Fd(), unix.F_SETFD, 0) }

// ownedByUser reports whether a file belongs to the current user.
func ownedByUser(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
