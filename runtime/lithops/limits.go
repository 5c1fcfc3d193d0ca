package lithops

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// The limits of IBM Cloud Functions (cloud.ibm.com/docs/openwhisk, "Limits"). Other OpenWhisk installations define their
// own limits. For these, only implausible values are rejected here, and the server reports the others.
const (
	ibmMinMemory        = 128  // MB
	ibmMaxMemory        = 2048 // MB
	ibmMaxTimeout       = 600  // s
	maxPlausibleMemory  = 1 << 20
	maxPlausibleTimeout = 24 * 60 * 60

	jobMaxTimeout = 24 * 60 * 60 // s; cloud.ibm.com/docs/codeengine, "Limits and quotas"
)

// DefaultMemory returns the memory in MB that the client uses if none is configured: 256 on every backend and in every
// release.
func DefaultMemory(_ Backend, _ string) int { return 256 }

// DefaultTimeout returns the timeout in seconds that the client uses if none is configured. It is the same in every
// release.
func DefaultTimeout(backend Backend, _ string) int {
	if backend == OpenWhisk {
		return 300
	}
	return 600
}

// Limits are the limits of a service for runtimes.
type Limits struct {
	MinMemoryMB, MaxMemoryMB int  // MB
	MaxTimeoutS              int  // s; the minimum is 1
	FixedSizes               bool // only the memory sizes of Code Engine; see JobSize
}

// LimitsOf returns the limits that are known without a request to the service.
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

// CheckMemory returns a fault.Usage error if a memory size in MB is outside the limits.
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

// reservedTime is the number of seconds of the timeout that every release reserves for itself (job.py:
// execution_timeout). minUsefulTime is the shortest timeout in seconds that leaves a job a useful amount of time.
const (
	reservedTime  = 5
	minUsefulTime = 10
)

// JobTimeProblem describes the problem with a timeout in seconds that leaves a job little time. It returns the zero
// Message if the timeout is long enough. fatal reports whether the timeout leaves no time at all.
func JobTimeProblem(timeoutS int) (problem i18n.Message, fatal bool) {
	if timeoutS >= minUsefulTime {
		return i18n.Message{}, false
	}
	left := max(0, timeoutS-reservedTime)
	return i18n.M("A timeout of {{.Value}} s leaves a job {{.Left}} s, because Lithops reserves {{.Kept}} s for itself.", "Value", timeoutS, "Left", left, "Kept", reservedTime), left == 0
}

// CheckJobTime returns a fault.Usage error if a timeout in seconds leaves a job no time. It does not check for timeouts
// below 1 s, because CheckTimeout rejects them.
func CheckJobTime(timeoutS int) error {
	problem, fatal := JobTimeProblem(timeoutS)
	if !fatal || timeoutS < 1 {
		return nil
	}
	return fault.New(fault.Usage, problem, i18n.M("Choose a timeout of 10 s or more."))
}

// CheckTimeout returns a fault.Usage error if a timeout in seconds is outside the limits.
func (l Limits) CheckTimeout(timeoutS int) error {
	if timeoutS >= 1 && timeoutS <= l.MaxTimeoutS {
		return nil
	}
	return fault.New(fault.Usage,
		i18n.M("A timeout of {{.Value}} s is outside the range of {{.Low}} to {{.High}} s.", "Value", timeoutS, "Low", 1, "High", l.MaxTimeoutS),
		i18n.M("Choose a timeout within this range."))
}
