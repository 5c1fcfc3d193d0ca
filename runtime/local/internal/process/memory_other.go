//go:build !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// restEvery is the time between two looks at the memory of a worker at rest: each starts a ps.
const restEvery = 5 * time.Second

// members are not known here.
func members(int, *group) []int { return nil }

// memory measures the processes of guard's group with ps, where there is one: resident memory, pages that forked
// processes share counted once for each.
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

// MachineMemoryMB is a guess where the machine is not asked.
func MachineMemoryMB() int { return unknownMemoryMB }

// killMarked does nothing here: the guard's group, or the job on Windows, is all there is.
func killMarked(string, bool) {}
