//go:build !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// idleInterval is the time between two memory measurements of an idle worker. Each measurement starts ps.
const idleInterval = 5 * time.Second

// members returns nil: the processes of a worker are unknown on this system.
func members(int, *group) []int { return nil }

// memory measures the process group of guard with ps. It returns the sum of resident memory in bytes, the PID of the
// largest process and the PID of the server. Pages that forked processes share are counted once for each process. It
// returns zeros if ps is not available.
func memory(guard int, _ *group, _ int64) (used int64, largest, server int) {
	out, err := exec.Command("ps", "-axo", "pid=,ppid=,pgid=,rss=").Output()
	if err != nil {
		return 0, 0, 0
	}
	var most int64
	for line := range strings.Lines(string(out)) {
		var n [4]int64
		fields := strings.Fields(line)
		for i := 0; i < len(n) && i < len(fields); i++ {
			n[i], _ = strconv.ParseInt(fields[i], 10, 64)
		}
		if n[2] != int64(guard) || n[0] == int64(guard) {
			continue
		}
		if n[1] == int64(guard) {
			server = int(n[0])
		}
		if used += n[3] << 10; n[3] > most {
			most, largest = n[3], int(n[0])
		}
	}
	return used, largest, server
}

// MachineMemoryMB returns 8192: the memory size is not read on this system.
func MachineMemoryMB() int { return unknownMemoryMB }

// killMarked does nothing on this system. Only the guard's process group, or the job on Windows, is killed.
func killMarked(string, bool) {}
