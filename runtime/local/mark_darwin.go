package local

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// processMark returns a value that distinguishes a process from other processes with the same PID: its start time. It
// returns "" if the process does not run.
func processMark(pid int) string {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(p.Proc.P_pid) != pid || p.Proc.P_stat == 5 { // SZOMB
		return ""
	}
	t := p.Proc.P_starttime
	return strconv.FormatInt(t.Sec, 10) + "." + strconv.FormatInt(int64(t.Usec), 10)
}
