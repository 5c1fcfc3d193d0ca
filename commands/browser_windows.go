package commands

import "os/exec"

// opener is the command that opens an address as this system's user would have it; nil when there is none.
func opener(address string) *exec.Cmd {
	return exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
}
