package process

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// memory measures the processes of a worker: those of its group, else those below its guard. Resident memory is cheap to read but counts pages that forked processes
// share once for each; only when the sum is over the limit, the exact share of each is read. It gives the sum in bytes,
// the largest process, and the guard's first child, which is the server.
func memory(guard int, g *group, limit int64) (used int64, largest, server int) {
	if below := sandbox.Descendants(guard); len(below) > 0 {
		server = below[0]
	}
	pids := members(guard, g)
	for _, measure := range []func(int) int64{resident, proportional} {
		var most int64
		used, largest = 0, 0
		for _, pid := range pids {
			n := measure(pid)
			if used += n; n > most {
				most, largest = n, pid
			}
		}
		if used <= limit {
			break
		}
	}
	return used, largest, server
}

// members lists the processes of a worker without its guard.
func members(guard int, g *group) []int {
	if g == nil {
		return sandbox.Descendants(guard)
	}
	return slices.DeleteFunc(g.processes(), func(pid int) bool { return pid == guard })
}

// restEvery is the time between two looks at the memory of a worker at rest.
const restEvery = 500 * time.Millisecond

func resident(pid int) int64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// proportional is the memory of which shared pages are counted in part; resident where the kernel does not tell.
func proportional(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return resident(pid)
	}
	for line := range bytes.Lines(raw) {
		if rest, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
			if fields := bytes.Fields(rest); len(fields) > 0 {
				kb, _ := strconv.ParseInt(string(fields[0]), 10, 64)
				return kb << 10
			}
		}
	}
	return resident(pid)
}

// MachineMemoryMB is the memory of this machine.
func MachineMemoryMB() int {
	raw, _ := os.ReadFile("/proc/meminfo")
	for line := range bytes.Lines(raw) {
		if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == "MemTotal:" {
			kb, _ := strconv.Atoi(string(fields[1]))
			return kb >> 10
		}
	}
	return unknownMemoryMB
}

// killMarked kills the processes that carry the mark of a worker's folder in their environment, or, with prefix, of any
// folder that begins like this: those that have left the process group are found as well. Their own children may be born
// meanwhile, so it looks until it finds none.
func killMarked(dir string, prefix bool) {
	mark := []byte("\x00PROXY_WORKER=" + dir)
	if !prefix {
		mark = append(mark, 0)
	}
	for range 20 {
		entries, _ := os.ReadDir("/proc")
		killed := false
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil || pid == os.Getpid() {
				continue
			}
			env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
			if err == nil && bytes.Contains(append([]byte{0}, env...), mark) {
				killProcess(pid)
				killed = true
			}
		}
		if !killed {
			return
		}
	}
}
