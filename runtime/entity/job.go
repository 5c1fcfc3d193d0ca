package entity

import (
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
)

// Job is one map or call of a Lithops executor, as far as it is to be seen: its client tells nobody how it goes on.
type Job struct {
	ID       string // "a1b2c3-0-M000"
	Executor string // "a1b2c3-0"
	Function string // "" where it is not to be seen
	Runtime  string // image, or the name that the service has for it
	MemoryMB int
	Calls    Counts
	First    time.Time     // when the first call was sent or started; zero while none has
	Last     time.Time     // when the last call ended; zero while there is work
	Duration time.Duration // from First to Last, or until now
	GBs      float64       // memory in GB times the seconds that its calls have taken
}

// Done reports whether no call is left that waits or runs.
func (j Job) Done() bool { return j.Calls.Waiting+j.Calls.Running == 0 }

// Counts are the calls of a job by state.
type Counts struct {
	Total, Waiting, Running, Done, Failed int
	Cold                                  int // started in a new sandbox, of those that run or have ended
}

// CallState is how far a call has come.
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
	Activation string // in which the service runs it; calls of a chunk share one; "" while it waits
	Runtime    string
	Function   string
	MemoryMB   int
	State      CallState
	Submitted  time.Time     // by the client, or accepted by the service; zero where neither is to be seen
	Started    time.Time     // when a sandbox was there, before its cold start; zero while it waits
	Init       time.Duration // of the cold start; 0 in a warm sandbox, or where it is not to be seen
	Cold       bool
	Ended      time.Time
	Error      string       // last line of what the function raised; "" without a failure, printable
	Cause      i18n.Message // why the service ended it, in our words; zero where the function itself failed
}

// Duration is how long the call has run, its cold start among it; 0 before it starts.
func (c Call) Duration(now time.Time) time.Duration {
	switch {
	case c.Started.IsZero():
		return 0
	case c.Ended.IsZero():
		return max(0, now.Sub(c.Started))
	}
	return max(0, c.Ended.Sub(c.Started))
}

// GBs is what the call has taken, in GB times seconds.
func (c Call) GBs(now time.Time) float64 {
	return float64(c.MemoryMB) / 1024 * c.Duration(now).Seconds()
}

// Quantile returns the time within which that part of the calls that have ended took, 0.5 for the median; 0 without any.
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

// LogLine is a line that a call wrote.
type LogLine struct {
	Time       time.Time // zero where the service does not tell
	Runtime    string
	Job        string // "" for a call that is of no job
	Call       string // "00003", or ""
	Activation string
	Stream     string       // "stdout" or "stderr"; "" where the service does not tell
	Text       string       // printable
	Note       i18n.Message // instead of Text: why the service ended the call
	Failed     bool         // the call, or else the activation, failed
	Worker     bool         // the Lithops worker says it of its own work
}

// Work tells which calls of a job an activation runs, where the service knows that.
type Work struct {
	Job      string   `json:"job"`
	Function string   `json:"function"` // "" where it is not to be seen
	Calls    []string `json:"calls"`    // ids
	Total    int      `json:"total"`    // calls of the job; 0 where it is not to be seen
}

// The annotations by which the local endpoint tells of an activation what OpenWhisk does not.
const (
	NotePending = "fn-runtime-pending" // true: it waits or runs; listed where the query says "pending=true"
	NoteWork    = "fn-runtime-work"    // a Work
)

// ExecutorOf returns the executor of a job.
func ExecutorOf(job string) string {
	if i := strings.LastIndexByte(job, '-'); i > 0 {
		return job[:i]
	}
	return job
}
