package lithops

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// The limits of IBM Cloud Functions (cloud.ibm.com/docs/openwhisk, "Limits"). Other OpenWhisk installations set their
// own, so there only nonsense is refused here, and the server's own words count.
const (
	ibmMinMemory        = 128  // MB
	ibmMaxMemory        = 2048 // MB
	ibmMaxTimeout       = 600  // s
	maxPlausibleMemory  = 1 << 20
	maxPlausibleTimeout = 24 * 60 * 60

	jobMaxTimeout = 24 * 60 * 60 // s; cloud.ibm.com/docs/codeengine, "Limits and quotas"
)

// DefaultMemory is the memory in MB that the client takes when none is configured: 256 on every backend, in every
// release.
func DefaultMemory(_ Backend, _ string) int { return 256 }

// DefaultTimeout is the timeout in seconds that the client takes when none is configured, in every release.
func DefaultTimeout(backend Backend, _ string) int {
	if backend == OpenWhisk {
		return 300
	}
	return 600
}

// Limits are what a service lets a runtime have.
type Limits struct {
	MinMemoryMB, MaxMemoryMB int  // MB
	MaxTimeoutS              int  // s; the least is 1
	FixedSizes               bool // only the memories of Code Engine: see JobSize
}

// LimitsOf returns the limits that can be known before a service is asked.
func LimitsOf(backend Backend) Limits {
	if backend == IBMCF {
		return Limits{MinMemoryMB: ibmMinMemory, MaxMemoryMB: ibmMaxMemory, MaxTimeoutS: ibmMaxTimeout}
	}
	if backend == CodeEngine {
		all := memories()
		return Limits{MinMemoryMB: all[0], MaxMemoryMB: all[len(all)-1], MaxTimeoutS: jobMaxTimeout, FixedSizes: true}
	}
	return Limits{MinMemoryMB: 1, MaxMemoryMB: maxPlausibleMemory, MaxTimeoutS: maxPlausibleTimeout}
}

// CheckMemory checks a memory in MB before anything is sent.
func (l Limits) CheckMemory(memoryMB int) error {
	if l.FixedSizes {
		_, err := SmallestJobSize(memoryMB)
		return err
	}
	if memoryMB >= l.MinMemoryMB && memoryMB <= l.MaxMemoryMB {
		return nil
	}
	return fault.New(fault.Usage,
		i18n.M("A memory size of {{.Value}} MB is outside the range of {{.Low}} to {{.High}} MB.", "Value", memoryMB, "Low", l.MinMemoryMB, "High", l.MaxMemoryMB),
		i18n.M("Choose a memory size within this range."))
}

// reservedTime is how many seconds of a time limit every release keeps for itself (job.py: execution_timeout), and minUsefulTime
// what leaves a job too little to be useful.
const (
	reservedTime  = 5
	minUsefulTime = 10
)

// JobTimeProblem tells what a timeout in seconds leaves to a job: fatal where that is nothing, the zero Message where it is enough.
func JobTimeProblem(timeoutS int) (problem i18n.Message, fatal bool) {
	if timeoutS >= minUsefulTime {
		return i18n.Message{}, false
	}
	left := max(0, timeoutS-reservedTime)
	return i18n.M("A timeout of {{.Value}} s leaves a job {{.Left}} s, because Lithops reserves {{.Kept}} s for itself.", "Value", timeoutS, "Left", left, "Kept", reservedTime), left == 0
}

// CheckJobTime refuses a timeout in seconds that leaves a job no time. What is no timeout at all is left to CheckTimeout.
func CheckJobTime(timeoutS int) error {
	problem, fatal := JobTimeProblem(timeoutS)
	if !fatal || timeoutS < 1 {
		return nil
	}
	return fault.New(fault.Usage, problem, i18n.M("Choose a timeout of 10 s or more."))
}

// CheckTimeout checks a timeout in seconds before anything is sent.
func (l Limits) CheckTimeout(timeoutS int) error {
	if timeoutS >= 1 && timeoutS <= l.MaxTimeoutS {
		return nil
	}
	return fault.New(fault.Usage,
		i18n.M("A timeout of {{.Value}} s is outside the range of {{.Low}} to {{.High}} s.", "Value", timeoutS, "Low", 1, "High", l.MaxTimeoutS),
		i18n.M("Choose a timeout within this range."))
}
