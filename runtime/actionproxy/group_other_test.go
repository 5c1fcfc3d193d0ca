//go:build !unix

package actionproxy_test

import "os/exec"

// inGroup returns a function that kills the command, because there are no process groups.
func inGroup(cmd *exec.Cmd) (end func()) { return func() { _ = cmd.Process.Kill() } }
