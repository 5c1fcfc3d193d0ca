//go:build unix

package actionproxy_test

import (
	"os/exec"
	"syscall"
)

// inGroup makes the command the leader of a process group. end kills all processes of the group.
func inGroup(cmd *exec.Cmd) (end func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
