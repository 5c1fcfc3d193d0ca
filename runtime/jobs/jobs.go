// Package jobs collects information about Lithops jobs. No service keeps a list of jobs. There are two sources: the
// objects that calls write to the bucket, which the client deletes when it has read the results, and the records of
// activations with their logs, which the service writes when an activation has ended.
//
// It merges both sources and keeps the result up to date. It does not change anything and does not format output.
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

// Watcher holds the jobs of a target as of the last Refresh. It is safe for concurrent use.
type Watcher struct {
	site  *site.Site
	since time.Time
	lines func([]entity.LogLine) // receives the log of each activation once; may be nil

	refreshing      sync.Mutex // serializes Refresh and protects the following fields
	rounds          int
	objects         int           // number of objects in the last complete listing of the bucket
	lastFullListing time.Time     // time of that listing
	duration        time.Duration // of the last refresh
	lastListed      time.Time     // when the activations were last listed
	horizon         time.Duration // assumed maximum duration of a call
	namesRead       time.Time     // when the names of the runtimes were last read

	mu           sync.RWMutex // protects the following fields
	jobs         map[string]*job
	activations  map[string]*activation // by ID; those that a listing may return again
	byActivation map[string][]*call     // calls by the ID of the activation, as named in their objects
	runtimes     map[entity.ID]entity.Registered
	version      uint64
}

// job is a job with its calls by ID.
type job struct {
	id       string
	function string
	runtime  string
	memory   int
	total    int              // number of calls if reported; 0 if unknown
	ended    entity.CallState // state of calls without objects if the service ended the job as a whole; else ""
	cause    i18n.Message     // why these calls failed
	active   bool             // the job has objects, or activations that wait or run
	changed  time.Time        // time of its newest object
	calls    map[string]*call
}

// call is a call with the internal state of the watcher.
type call struct {
	entity.Call
	hasStatus   bool // its status object exists
	statusRound int  // round in which the status object was first seen
	final       bool // its result is known
	logged      bool // its log has been reported
	mixed       bool // its worker ran several calls concurrently, so their lines cannot be told apart
}

// activation is the part of an activation record that is kept so that the record is not read again.
type activation struct {
	run        entity.Activation // without log and result
	read       bool              // its log has been read
	callsKnown bool              // its calls are known
}

// callRef identifies a call.
type callRef struct{ job, call string }

// New returns a watcher for the jobs that ran since the given time. It reads nothing before Refresh. lines receives the
// log of each activation once, in the order in which the logs are read. It may be nil.
func New(s *site.Site, since time.Time, lines func([]entity.LogLine)) *Watcher {
	return &Watcher{
		site: s, since: since, lines: lines, horizon: defaultHorizon,
		jobs: map[string]*job{}, activations: map[string]*activation{}, byActivation: map[string][]*call{}, runtimes: map[entity.ID]entity.Registered{},
	}
}

// Version returns a number that changes whenever the data changes.
func (w *Watcher) Version() uint64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.version
}

// Jobs returns the jobs, newest first.
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

// Job returns one job with its calls in the order of their IDs. ok is false if the job does not exist.
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

// freshness is how long after its last change a job counts as running. Calls of a running job that have no objects
// count as waiting.
const freshness = time.Hour

// maxMissing is the maximum number of calls without objects that are listed.
const maxMissing = 100_000

// list returns the calls of a job, including the calls without objects.
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
	running := j.active && now.Sub(j.changed) < freshness
	if (running || j.ended != "") && total-len(list) <= maxMissing {
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

// callID returns the ID that the client assigns to the call with the given number.
func callID(n int) string {
	id := strconv.Itoa(n)
	return "00000"[min(len(id), 5):] + id
}

// sum returns the summary of a job from its calls.
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
