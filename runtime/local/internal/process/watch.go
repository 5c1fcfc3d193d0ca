package process

import (
	"fmt"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// watchEvery is the time between two looks at the memory of a running action.
const watchEvery = 50 * time.Millisecond

// unknownMemoryMB stands for the memory of a machine that does not tell.
const unknownMemoryMB = 8192

// watch keeps the processes of one sandbox within their memory limit. RLIMIT_AS would be simpler, but numpy reserves far
// more address space than it uses; so the resident memory is measured. Over the limit, the largest process is killed, as
// the kernel does in a container: Lithops' worker then tells its client that a function ran out of memory.
type watch struct {
	pid     int // of the guard
	group   *group
	limitMB int
	logs    *sandbox.Logs

	mu     sync.Mutex
	active bool
	ended  bool
	killed bool // the server itself, and with it everything
	wake   chan struct{}
}

func newWatch(pid int, g *group, limitMB int, logs *sandbox.Logs) *watch {
	w := &watch{pid: pid, group: g, limitMB: limitMB, logs: logs, wake: make(chan struct{}, 1)}
	if limitMB > 0 {
		go w.run()
	}
	return w
}

func (w *watch) set(active bool) { w.change(func() { w.active = active }) }
func (w *watch) stop()           { w.change(func() { w.ended = true }) }

func (w *watch) change(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watch) killedAll() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed
}

// run looks until the end. It goes on while the worker rests, seldom: what an action leaves behind can grow too.
func (w *watch) run() {
	next := time.NewTimer(restEvery)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			w.look()
		case <-w.wake:
		}
		w.mu.Lock()
		active, ended := w.active, w.ended
		w.mu.Unlock()
		switch {
		case ended:
			return
		case active:
			next.Reset(watchEvery)
		default:
			next.Reset(restEvery)
		}
	}
}

func (w *watch) look() {
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
