package process

import (
	"fmt"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// activeInterval is the time between two memory measurements of a running action.
const activeInterval = 50 * time.Millisecond

// unknownMemoryMB is the assumed memory size of a machine if it cannot be read.
const unknownMemoryMB = 8192

// watch enforces the memory limit of one sandbox. RLIMIT_AS would be simpler, but numpy reserves far more address space
// than it uses, so watch measures resident memory. If the limit is exceeded, watch kills the largest process, as the
// kernel does in a container. The Lithops worker then reports to its client that a function ran out of memory.
type watch struct {
	pid     int // of the guard
	group   *group
	limitMB int
	logs    *sandbox.Logs

	mu     sync.Mutex
	active bool
	ended  bool
	killed bool // the server was killed, which ends the sandbox
	wake   chan struct{}
}

func newWatch(pid int, g *group, limitMB int, logs *sandbox.Logs) *watch {
	w := &watch{pid: pid, group: g, limitMB: limitMB, logs: logs, wake: make(chan struct{}, 1)}
	if limitMB > 0 {
		go w.run()
	}
	return w
}

// set selects the measurement interval: short for a running action, long for an idle sandbox.
func (w *watch) set(active bool) { w.change(func() { w.active = active }) }
func (w *watch) stop()           { w.change(func() { w.ended = true }) }

// change applies f and wakes up run.
func (w *watch) change(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// killedServer reports whether the server was killed because the memory limit was exceeded.
func (w *watch) killedServer() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed
}

// run measures the memory until stop is called. It continues at long intervals while the worker is idle, because
// processes that an action left running can grow too.
func (w *watch) run() {
	next := time.NewTimer(idleInterval)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			w.check()
		case <-w.wake:
		}
		w.mu.Lock()
		active, ended := w.active, w.ended
		w.mu.Unlock()
		switch {
		case ended:
			return
		case active:
			next.Reset(activeInterval)
		default:
			next.Reset(idleInterval)
		}
	}
}

// check measures the memory once and kills the largest process if the limit is exceeded.
func (w *watch) check() {
	used, largest, server := memory(w.pid, w.group, int64(w.limitMB)<<20)
	if used <= int64(w.limitMB)<<20 || largest == 0 {
		return
	}
	w.logs.Note(fmt.Sprintf("The action used %d MB of memory and its limit is %d MB: its largest process was killed.", used>>20, w.limitMB))
	if largest == server {
		w.mu.Lock()
		w.killed = true
		w.mu.Unlock()
	}
	killProcess(largest)
}
