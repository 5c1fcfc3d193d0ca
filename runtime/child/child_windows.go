package child

import "os"

// passed are the signals that are caught while the child runs. The console gives Ctrl-C to every process that it has.
var passed = []os.Signal{os.Interrupt}

func has(os.Signal) bool { return true }

func statusOf(p *os.ProcessState) int { return p.ExitCode() }
