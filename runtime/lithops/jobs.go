package lithops

import (
	"encoding/json"
	"strings"
	"time"

	"fn-runtime/runtime/text"
)

var (
	jobID        = text.NewPattern(`^[0-9A-Za-z-]{1,200}-[A-Z][0-9]{3,9}$`)
	callID       = text.NewPattern(`^[0-9]{5,9}$`)
	activationID = text.NewPattern(`^[0-9A-Za-z-]{1,64}$`)
)

// IsJob reports whether s has the format of a job ID: the executor ID, a letter for the kind of job, and a number.
func IsJob(s string) bool { return jobID.MatchString(s) }

// IsCall reports whether s has the format of a call ID: a number of at least five digits.
func IsCall(s string) bool { return callID.MatchString(s) }

// JobOfRun returns the Lithops job of a Code Engine job run, which the client names after the job (code_engine.py:
// invoke). It returns "" for other runs.
func JobOfRun(name string) string {
	rest, ok := strings.CutPrefix(name, "lithops-")
	i := strings.LastIndexByte(rest, '-')
	if !ok || i < 0 || strings.ToLower(name) != name {
		return ""
	}
	if job := rest[:i] + strings.ToUpper(rest[i:]); IsJob(job) {
		return job
	}
	return ""
}

// JobObject is the information that the key of an object contains about a call (storage/utils.py).
type JobObject struct {
	Job, Call  string
	Activation string // for the object that a call writes when it starts; otherwise empty
	Status     bool   // whether it is the object that a call writes when it ends
}

// ParseJobKey parses the key of an object that shows the progress of a call. ok is false for all other objects.
func ParseJobKey(key string) (o JobObject, ok bool) {
	rest, ok := strings.CutPrefix(key, JobsPrefix)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 || !IsJob(parts[0]) || !IsCall(parts[1]) {
		return JobObject{}, false
	}
	o = JobObject{Job: parts[0], Call: parts[1]}
	if parts[2] == "status.json" {
		o.Status = true
		return o, true
	}
	o.Activation, ok = strings.CutSuffix(parts[2], ".init")
	return o, ok && activationID.MatchString(o.Activation)
}

// StatusKey returns the key of the object that a call writes when it ends.
func StatusKey(job, call string) string { return JobsPrefix + job + "/" + call + "/status.json" }

// CallStatus is the status that a call writes when it ends.
type CallStatus struct {
	Activation string
	Failed     bool
	Cold       bool
	Submitted  time.Time // when the client submitted the call
	Started    time.Time
	Ended      time.Time
	Log        []string // its output as printable lines
}

// ParseCallStatus parses the status object of a call. ok is false if it is not a status object. The available fields
// depend on the release.
func ParseCallStatus(data []byte) (s CallStatus, ok bool) {
	var d struct {
		Type       string  `json:"type"`
		Exception  bool    `json:"exception"`
		Activation string  `json:"activation_id"`
		Cold       bool    `json:"worker_cold_start"`
		Submitted  float64 `json:"host_submit_tstamp"`
		Started    float64 `json:"worker_start_tstamp"`
		Ended      float64 `json:"worker_end_tstamp"`
		Logs       string  `json:"logs"`
	}
	if json.Unmarshal(data, &d) != nil || d.Type != "__end__" {
		return CallStatus{}, false
	}
	s = CallStatus{Failed: d.Exception, Cold: d.Cold, Submitted: parseTimestamp(d.Submitted), Started: parseTimestamp(d.Started), Ended: parseTimestamp(d.Ended), Log: inflateLog(d.Logs)}
	if activationID.MatchString(d.Activation) {
		s.Activation = d.Activation
	}
	return s, true
}

// parseTimestamp returns the time of a Python time stamp. It returns the zero time for 0 and for implausible values.
func parseTimestamp(seconds float64) time.Time {
	if !(seconds > 0 && seconds < 1e11) {
		return time.Time{}
	}
	return time.UnixMicro(int64(seconds * 1e6)).UTC()
}
