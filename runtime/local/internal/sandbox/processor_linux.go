package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Meter adds up the processor time that the tasks of a sandbox want: what they used, and what they waited for while others
// had the processor. So it tells who computes from who waits on a busy machine too. Its zero value is ready; it is not for
// several goroutines at once.
type Meter struct {
	tasks map[string]time.Duration // folder of a task, as last read
	total time.Duration
}

// Read returns the time wanted since the sandbox began, by what was found of these processes and all that were read
// before; known is false where nothing could be read.
func (m *Meter) Read(pids []int) (wanted time.Duration, known bool) {
	now := map[string]time.Duration{}
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/task/", pid)
		tasks, _ := os.ReadDir(dir)
		for _, t := range tasks {
			task := dir + t.Name()
			raw, _ := os.ReadFile(task + "/schedstat")
			fields := strings.Fields(string(raw)) // ns on a processor, ns in its queue, time slices
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

// Descendants walks down the process tree, parents first. A process is a child of the thread that forked it; one whose
// parent has ended is that of the nearest process above that takes orphans.
func Descendants(pid int) []int {
	var found []int
	for next := []int{pid}; len(next) > 0 && len(found) < 10000; next = next[1:] {
		task := fmt.Sprintf("/proc/%d/task", next[0])
		threads, _ := os.ReadDir(task)
		for _, thread := range threads {
			raw, _ := os.ReadFile(task + "/" + thread.Name() + "/children")
			for field := range strings.FieldsSeq(string(raw)) {
				if child, err := strconv.Atoi(field); err == nil {
					found, next = append(found, child), append(next, child)
				}
			}
		}
	}
	return found
}
