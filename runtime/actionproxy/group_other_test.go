//go:build !unix

package actionproxy_test

import "os/exec"

// inGroup returns what kills the command, for lack of process groups.
func inGroup(cmd *exec.Cmd) (end func()) { return func() { _ = cmd.Process.Kill() } }
