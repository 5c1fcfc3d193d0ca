package invoker

import (
	"iter"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// measureInterval is the time between two measurements of the busy workers while an activation waits for a processor.
const measureInterval = 200 * time.Millisecond

// maxReadingAge is how long a measurement is considered current.
const maxReadingAge = 10 * measureInterval

// unmeasuredGrace is how long an activation counts as computing if its CPU demand cannot be measured, for example while
// its sandbox starts. After that it counts as waiting.
const unmeasuredGrace = 5 * time.Second

// usage is the CPU usage of a busy worker.
type usage struct {
	begun   time.Time     // start of the activation
	read    time.Time     // last measurement; zero if there is none
	demand  time.Duration // CPU demand at the last measurement
	known   bool          // demand was measured
	waiting bool          // the worker waits for something other than a CPU
}

// next returns the usage after another measurement. A worker counts as waiting if its CPU demand was less than half of
// the time since the last measurement. A worker that computes has a demand of 100 %, and a worker that polls a store
// for results has a demand near zero.
func (u usage) next(now time.Time, demand time.Duration, known bool) usage {
	elapsed := now.Sub(u.read)
	switch {
	case !known:
		u.waiting = now.Sub(u.begun) >= unmeasuredGrace
	case !u.known || elapsed > maxReadingAge:
		u.waiting = false
	default:
		u.waiting = demand-u.demand < elapsed/2
	}
	u.read, u.demand, u.known = now, demand, known
	return u
}

// computing returns the number of workers that compute. A worker without a current measurement counts as computing.
func computing(all iter.Seq[usage], now time.Time) (n int) {
	for u := range all {
		if !u.waiting || now.Sub(u.read) > maxReadingAge {
			n++
		}
	}
	return n
}

// usages returns the usages of the busy workers. p.mu is held.
func (p *pool) usages() iter.Seq[usage] {
	return func(yield func(usage) bool) {
		for w := range p.busy {
			if !yield(w.usage) {
				return
			}
		}
	}
}

// scheduleMeasurement schedules a measurement of the busy workers unless one is scheduled already. p.mu is held.
func (p *pool) scheduleMeasurement() {
	if p.measurement == nil && !p.closed {
		p.closing.Add(1)
		p.measurement = time.AfterFunc(measureInterval, p.measure)
	}
}

// measure measures the CPU demand of the busy workers and then dispatches waiting activations to processors that have
// become free.
func (p *pool) measure() {
	defer p.closing.Done()
	p.mu.Lock()
	busy := map[*worker]sandbox.Sandbox{}
	for w := range p.busy {
		busy[w] = w.sandbox
	}
	p.mu.Unlock()
	type reading struct {
		demand time.Duration
		known  bool
	}
	readings := map[*worker]reading{}
	for w, s := range busy {
		var r reading
		if s != nil {
			r.demand, r.known = s.CPUDemand()
		}
		readings[w] = r
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measurement = nil
	now := time.Now()
	for w := range p.busy {
		if r, ok := readings[w]; ok {
			w.usage = w.usage.next(now, r.demand, r.known)
		}
	}
	p.dispatch()
}

// setSandbox assigns the started sandbox to a worker.
func (p *pool) setSandbox(w *worker, s sandbox.Sandbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.sandbox, w.client = s, client(s)
}
