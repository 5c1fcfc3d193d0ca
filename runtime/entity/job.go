package entity

import (
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
)

// Job is one map or call of a Lithops executor. The client does not publish its progress, so Job contains only what can
// be observed in the bucket and the service.
type Job struct {
	ID       string // "a1b2c3-0-M000"
	Executor string // "a1b2c3-0"
	Function string // "" if unknown
	Runtime  string // image, or the service's name for it
	MemoryMB int
	Calls    Counts
	First    time.Time     // when the first call was sent or started; zero if none was
	Last     time.Time     // when the last call ended; zero while calls wait or run
	Duration time.Duration // from First to Last, or until now
	GBs      float64       // memory in GB times the duration of its calls in seconds
}

// Done reports whether no call is waiting or running.
func (j Job) Done() bool { return j.Calls.Waiting+j.Calls.Running == 0 }

// Counts holds the number of calls of a job by state.
type Counts struct {
	Total, Waiting, Running, Done, Failed int
	Cold                                  int // started in a new sandbox, among those that run or have ended
}

// CallState is the state of a call.
type CallState string

// The states of calls.
const (
	CallWaiting CallState = "waiting"
	CallRunning CallState = "running"
	CallDone    CallState = "done"
	CallFailed  CallState = "failed"
)

// Call is one call of a function in a job.
type Call struct {
	Job        string
	ID         string // "00003"
	Activation string // ID of the activation that runs the call; calls of a chunk share one; "" while the call waits
	Runtime    string
	Function   string
	MemoryMB   int
	State      CallState
	Submitted  time.Time     // when the client submitted the call or the service accepted it; zero if unknown
	Started    time.Time     // when the sandbox was allocated, before its cold start; zero while the call waits
	Init       time.Duration // duration of the cold start; 0 in a warm sandbox or if unknown
	Cold       bool
	Ended      time.Time
	Error      string       // last line of the exception of the function, printable; "" without a failure
	Cause      i18n.Message // why the service ended the call; zero if the function itself failed
}

// Duration returns how long the call has run, including its cold start. It returns 0 before the call starts.
func (c Call) Duration(now time.Time) time.Duration {
	switch {
	case c.Started.IsZero():
		return 0
	case c.Ended.IsZero():
		return max(0, now.Sub(c.Started))
	}
	return max(0, c.Ended.Sub(c.Started))
}

// GBs returns the usage of the call in GB times seconds.
func (c Call) GBs(now time.Time) float64 {
	return float64(c.MemoryMB) / 1024 * c.Duration(now).Seconds()
}

// Quantile returns the given quantile of the durations of the ended calls; 0.5 is the median. It returns 0 if no call
// has ended.
func Quantile(calls []Call, part float64) time.Duration {
	var all []time.Duration
	for _, c := range calls {
		if !c.Ended.IsZero() {
			all = append(all, c.Duration(c.Ended))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(part*float64(len(all))), len(all)-1)]
}

// LogLine is a line of output of a call.
type LogLine struct {
	Time       time.Time // zero if the service does not report it
	Runtime    string
	Job        string // "" for a call that belongs to no job
	Call       string // "00003", or ""
	Activation string
	Stream     string       // "stdout" or "stderr"; "" if the service does not report it
	Text       string       // printable
	Note       i18n.Message // instead of Text: why the service ended the call
	Failed     bool         // the call or, if unknown, the activation failed
	Worker     bool         // written by the Lithops worker, not by the function
}

// Work lists the calls of a job that an activation runs, if the service knows them.
type Work struct {
	Job      string   `json:"job"`
	Function string   `json:"function"` // "" if unknown
	Calls    []string `json:"calls"`    // IDs
	Total    int      `json:"total"`    // calls of the job; 0 if unknown
}

// Annotations with which the local endpoint reports more about an activation than OpenWhisk does.
const (
	NotePending = "fn-runtime-pending" // true: the activation waits or runs; listed only if the query contains "pending=true"
	NoteWork    = "fn-runtime-work"    // a Work
)

// ExecutorOf returns the ID of the executor of a job.
func ExecutorOf(job string) string {
	if i := strings.LastIndexByte(job, '-'); i > 0 {
		return job[:i]
	}
	return job
}
