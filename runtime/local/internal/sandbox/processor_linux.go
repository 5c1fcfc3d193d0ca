package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Meter measures the CPU demand of a sandbox: the time that its threads ran on a CPU plus the time that they were
// runnable but waited for a CPU. Because of the second part, it distinguishes sandboxes that compute from sandboxes
// that wait for something else even on a busy machine. The zero value is ready to use. A Meter must not be used
// concurrently.
type Meter struct {
	tasks map[string]time.Duration // demand at the last reading, by the task's directory in /proc
	total time.Duration
}

// Read reads the threads of the given processes and returns the CPU demand since the sandbox started. The result
// includes processes of earlier readings that have ended. known is false if no thread could be read.
func (m *Meter) Read(pids []int) (demand time.Duration, known bool) {
	now := map[string]time.Duration{}
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/task/", pid)
		tasks, _ := os.ReadDir(dir)
		for _, t := range tasks {
			task := dir + t.Name()
			raw, _ := os.ReadFile(task + "/schedstat")
			fields := strings.Fields(string(raw)) // ns on a CPU, ns in a run queue, number of time slices
			if len(fields) < 2 {
				continue
			}
			used, err1 := strconv.ParseInt(fields[0], 10, 64)
			queued, err2 := strconv.ParseInt(fields[1], 10, 64)
			if err1 != nil || err2 != nil {
				continue
			}
			now[task] = time.Duration(used + queued)
			m.total += max(0, now[task]-m.tasks[task])
		}
	}
	m.tasks = now
	return m.total, len(now) > 0
}

// Descendants returns the descendants of a process, parents before their children, at most about 10000. A process is
// listed as a child of the thread that forked it. If its parent has ended, it is a child of the nearest ancestor that
// is a child subreaper.
func Descendants(pid int) []int {
	var pids []int
	for next := []int{pid}; len(next) > 0 && len(pids) < 10000; next = next[1:] {
		task := fmt.Sprintf("/proc/%d/task", next[0])
		threads, _ := os.ReadDir(task)
		for _, thread := range threads {
			raw, _ := os.ReadFile(task + "/" + thread.Name() + "/children")
			for field := range strings.FieldsSeq(string(raw)) {
				if child, err := strconv.Atoi(field); err == nil {
					pids, next = append(pids, child), append(next, child)
				}
			}
		}
	}
	return pids
}
