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

// memory measures the processes of a worker: the members of its control group, or the descendants of its guard if it
// has no group. Resident memory is cheap to read, but pages that forked processes share are counted once for each
// process. Therefore memory reads the proportional share of each process only if the sum of resident memory exceeds the
// limit. It returns the sum in bytes, the PID of the largest process, and the PID of the guard's first child, which is
// the server.
func memory(guard int, g *group, limit int64) (used int64, largest, server int) {
	if descendants := sandbox.Descendants(guard); len(descendants) > 0 {
		server = descendants[0]
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

// members returns the PIDs of a worker without its guard.
func members(guard int, g *group) []int {
	if g == nil {
		return sandbox.Descendants(guard)
	}
	return slices.DeleteFunc(g.processes(), func(pid int) bool { return pid == guard })
}

// idleInterval is the time between two memory measurements of an idle worker.
const idleInterval = 500 * time.Millisecond

// resident returns the resident memory of a process in bytes, and 0 if it cannot be read.
func resident(pid int) int64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// proportional returns the proportional set size (Pss) of a process in bytes, in which shared pages are divided among
// the processes that share them. It returns the resident memory if the kernel does not provide the Pss.
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

// MachineMemoryMB returns the memory size of this machine in MB. If it cannot be read, it returns 8192.
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

// killMarked kills the processes whose environment contains PROXY_WORKER=dir or, with prefix, a PROXY_WORKER that
// begins with dir. This includes processes that have left the process group. Because these processes may fork during
// the search, killMarked repeats the search until it finds none, at most 20 times.
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
