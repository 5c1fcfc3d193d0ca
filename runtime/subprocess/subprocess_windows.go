package subprocess

import (
	"io/fs"
	"os"
)

// passed are the signals that are caught while the child runs. The console gives Ctrl-C to every process that it has.
var passed = []os.Signal{os.Interrupt}

func alreadyDelivered(os.Signal) bool { return true }

func statusOf(p *os.ProcessState) int { return p.ExitCode() }

func inheritOnExec(*os.File) {}

// mine is true because the folder for temporary files is a user's own.
func ownedByUser(fs.FileInfo) bool { return true }
