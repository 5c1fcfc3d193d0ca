package invoker

import (
	"iter"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// lookEvery is the time between two looks at who computes, while somebody waits for a processor.
const lookEvery = 200 * time.Millisecond

// fresh is how long a reading says something of the present.
const fresh = 10 * lookEvery

// benefit is how long a worker counts as computing where its processor time cannot be measured, and while it is started.
const benefit = 5 * time.Second

// usage is what is known of the processor time of a busy worker.
type usage struct {
	begun  time.Time     // its activation
	read   time.Time     // zero: not yet
	wanted time.Duration // as read
	known  bool          // wanted was measured
	waits  bool
}

// next returns the usage after another reading. A worker waits when it wanted a processor for less than half of the time
// since the last one: who computes wants it all the time, who asks a store for results now and then nearly never.
func (u usage) next(now time.Time, wanted time.Duration, known bool) usage {
	over := now.Sub(u.read)
	switch {
	case !known:
		u.waits = now.Sub(u.begun) >= benefit
	case !u.known || over > fresh:
		u.waits = false
	default:
		u.waits = wanted-u.wanted < over/2
	}
	u.read, u.wanted, u.known = now, wanted, known
	return u
}

// computing counts those that are not known to wait.
func computing(all iter.Seq[usage], now time.Time) (n int) {
	for u := range all {
		if !u.waits || now.Sub(u.read) > fresh {
			n++
		}
	}
	return n
}

// usages returns those of the busy workers. p.mu is held.
func (p *pool) usages() iter.Seq[usage] {
	return func(yield func(usage) bool) {
		for w := range p.busy {
			if !yield(w.usage) {
				return
			}
		}
	}
}

// lookLater sees to it that the busy workers are looked at. p.mu is held.
func (p *pool) lookLater() {
	if p.look == nil && !p.closed {
		p.closing.Add(1)
		p.look = time.AfterFunc(lookEvery, p.lookNow)
	}
}

// lookNow reads the processor time of the busy workers, and begins what has found a processor.
func (p *pool) lookNow() {
	defer p.closing.Done()
	p.mu.Lock()
	busy := map[*worker]sandbox.Sandbox{}
	for w := range p.busy {
		busy[w] = w.sandbox
	}
	p.mu.Unlock()
	type reading struct {
		wanted time.Duration
		known  bool
	}
	readings := map[*worker]reading{}
	for w, s := range busy {
		var r reading
		if s != nil {
			r.wanted, r.known = s.CPUDemand()
		}
		readings[w] = r
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look = nil
	now := time.Now()
	for w := range p.busy {
		if r, ok := readings[w]; ok {
			w.usage = w.usage.next(now, r.wanted, r.known)
		}
	}
	p.serve()
}

// started says what the worker is from now on.
func (p *pool) started(w *worker, s sandbox.Sandbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.sandbox, w.client = s, client(s)
}
