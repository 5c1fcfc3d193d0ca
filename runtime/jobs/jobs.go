// Package jobs puts together what is to be seen of Lithops jobs. Nobody keeps a list of them: there are the objects that
// calls write into the bucket, which go when the client has its results, and the records of activations with their logs,
// which come when a call has ended.
//
// What may go in: how the two are joined, and how that is kept up to date. What may not: what is shown of it, and changes.
package jobs

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/site"
)

// Watcher is what is to be seen of the jobs of a target, as of the last Refresh. It may be used from several goroutines.
type Watcher struct {
	site  *site.Site
	since time.Time
	lines func([]entity.LogLine) // is given the log of each activation once; nil: nobody reads them

	refreshing sync.Mutex // one refresh at a time; what follows is its own
	rounds     int
	objects    int       // in the bucket's last complete listing
	complete   time.Time // when that was
	took       time.Duration
	asked      time.Time // when the activations were last asked for
	horizon    time.Duration
	named      time.Time // when the names of runtimes were last read

	mu          sync.RWMutex // what follows
	jobs        map[string]*job
	activations map[string]*activation // those that a list may bring again
	ran         map[string][]*call     // by the activation that their objects name
	runtimes    map[entity.ID]entity.Registered
	version     uint64
}

// job is a job with its calls by their ids.
type job struct {
	id       string
	function string
	runtime  string
	memory   int
	total    int              // as somebody told; 0 unknown
	ended    entity.CallState // of calls that are not to be seen, where the job has ended as one; else ""
	cause    i18n.Message     // why they have failed
	live     bool             // it has objects, or activations that wait
	changed  time.Time        // of its newest object
	calls    map[string]*call
}

// call is a call with what is known of it.
type call struct {
	entity.Call
	wrote  bool // its status object is there
	since  int  // round in which that was first seen
	final  bool // how it ended is known
	logged bool // its log has been given away
	mixed  bool // its worker ran several calls at once: their lines are not to be told apart
}

// activation is what is kept of the record of one, so that it is not read again.
type activation struct {
	run     entity.Activation // without log and result
	read    bool              // its log has been read
	claimed bool              // calls are known that it ran
}

type ref struct{ job, call string }

// New watches the jobs that have run since then. Nothing is read before Refresh. lines is given the log of each activation
// once, in the order in which they were read; nil where nobody wants them.
func New(s *site.Site, since time.Time, lines func([]entity.LogLine)) *Watcher {
	return &Watcher{
		site: s, since: since, lines: lines, horizon: defaultHorizon,
		jobs: map[string]*job{}, activations: map[string]*activation{}, ran: map[string][]*call{}, runtimes: map[entity.ID]entity.Registered{},
	}
}

// Version changes whenever there is something new.
func (w *Watcher) Version() uint64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.version
}

// Jobs returns the jobs, the newest first.
func (w *Watcher) Jobs(now time.Time) []entity.Job {
	w.mu.RLock()
	defer w.mu.RUnlock()
	list := make([]entity.Job, 0, len(w.jobs))
	for _, j := range w.jobs {
		list = append(list, j.sum(j.list(now), now))
	}
	slices.SortFunc(list, func(a, b entity.Job) int {
		return cmp.Or(b.First.Compare(a.First), cmp.Compare(b.ID, a.ID))
	})
	return list
}

// Job returns one job with its calls in the order of their ids; ok is false when there is none of that id.
func (w *Watcher) Job(id string, now time.Time) (sum entity.Job, calls []entity.Call, ok bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	j, ok := w.jobs[id]
	if !ok {
		return entity.Job{}, nil, false
	}
	calls = j.list(now)
	return j.sum(calls, now), calls, true
}

// freshness is how long after its last sign a job is believed to be going on: calls that are missing wait.
const freshness = time.Hour

// maxMissing bounds the calls that are listed because their number says that they must be there.
const maxMissing = 100_000

// list returns the calls, those among them that wait and nobody has seen.
func (j *job) list(now time.Time) []entity.Call {
	list := make([]entity.Call, 0, len(j.calls))
	function, runtime, memory, most := j.function, j.runtime, j.memory, -1
	for id, c := range j.calls {
		list = append(list, c.Call)
		function, runtime, memory = cmp.Or(function, c.Function), cmp.Or(runtime, c.Runtime), cmp.Or(memory, c.MemoryMB)
		if n, err := strconv.Atoi(id); err == nil {
			most = max(most, n)
		}
	}
	for i := range list {
		list[i].Function = cmp.Or(list[i].Function, function)
		list[i].Runtime, list[i].MemoryMB = cmp.Or(list[i].Runtime, runtime), cmp.Or(list[i].MemoryMB, memory)
	}
	total := max(j.total, most+1)
	going := j.live && now.Sub(j.changed) < freshness
	if (going || j.ended != "") && total-len(list) <= maxMissing {
		for n := range total {
			id := callID(n)
			if _, seen := j.calls[id]; !seen {
				c := entity.Call{Job: j.id, ID: id, Function: function, Runtime: runtime, MemoryMB: memory, State: entity.CallWaiting}
				if j.ended != "" {
					c.State, c.Cause = j.ended, j.cause
				}
				list = append(list, c)
			}
		}
	}
	slices.SortFunc(list, func(a, b entity.Call) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// callID is the id that the client gives to the call of that number.
func callID(n int) string {
	id := strconv.Itoa(n)
	return "00000"[min(len(id), 5):] + id
}

// sum makes a job of its calls.
func (j *job) sum(calls []entity.Call, now time.Time) entity.Job {
	sum := entity.Job{ID: j.id, Executor: entity.ExecutorOf(j.id), Function: j.function}
	for _, c := range calls {
		sum.Function = cmp.Or(sum.Function, c.Function)
		sum.Runtime, sum.MemoryMB = cmp.Or(sum.Runtime, c.Runtime), cmp.Or(sum.MemoryMB, c.MemoryMB)
		sum.Calls.Total++
		switch c.State {
		case entity.CallWaiting:
			sum.Calls.Waiting++
		case entity.CallRunning:
			sum.Calls.Running++
		case entity.CallDone:
			sum.Calls.Done++
		case entity.CallFailed:
			sum.Calls.Failed++
		}
		if c.Cold {
			sum.Calls.Cold++
		}
		sum.GBs += c.GBs(now)
		first := c.Submitted
		if first.IsZero() {
			first = c.Started
		}
		if !first.IsZero() && (sum.First.IsZero() || first.Before(sum.First)) {
			sum.First = first
		}
		if c.Ended.After(sum.Last) {
			sum.Last = c.Ended
		}
	}
	until := sum.Last
	if !sum.Done() {
		until, sum.Last = now, time.Time{}
	}
	if !sum.First.IsZero() {
		sum.Duration = max(0, until.Sub(sum.First))
	}
	return sum
}
