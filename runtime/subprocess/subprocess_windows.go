package subprocess

import (
	"io/fs"
	"os"
)

// forwarded is the list of signals that are caught while the child runs. The console sends Ctrl-C to all of its
// processes.
var forwarded = []os.Signal{os.Interrupt}

func alreadyDelivered(os.Signal) bool { return true }

func statusOf(p *os.ProcessState) int { return p.ExitCode() }

func inheritOnExec(*os.File) {}

// ownedByUser returns true because the directory for temporary files belongs to the user.
func ownedByUser(fs.FileInfo) bool { return true }
