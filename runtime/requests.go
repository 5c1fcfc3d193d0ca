package runtime

import "time"

// DeployRequest says which runtimes to register.
type DeployRequest struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: the configured memory
	MilliCPU int    // thousandths; 0: what goes with the memory
	TimeoutS int    // 0: the configured timeout
	InImage  bool   // the Lithops code is in the image
	Python   string // "3.11": the Python the default image is picked for and the runtime must have; "" the client's
	Pin      bool   // register the image under a tag that is never moved
	Force    bool   // also when nothing differs
	DryRun   bool
}

// UpdateRequest says which deployed runtimes to bring to the client's Lithops code.
type UpdateRequest struct {
	Name     string // "default", "all" or an image reference
	MemoryMB []int  // empty: every memory
	TimeoutS int    // 0: as it is
	Force    bool
	DryRun   bool
}

// DeleteRequest says which runtimes to remove.
type DeleteRequest struct {
	Name           string // "default", "all" or an image reference
	MemoryMB       []int  // empty: every memory
	LithopsVersion string // "" every version for a named runtime and for all
	DryRun         bool
	// Confirm is asked once with the plan before anything is deleted; nil means yes.
	Confirm func(plan Result) (bool, error)
}

// RollbackRequest says which runtimes go back to the image that they ran before.
type RollbackRequest struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: every memory
	DryRun   bool
}

// PruneRequest says what else stays when what is superseded is removed.
type PruneRequest struct {
	Keep    []string // releases of Lithops beside the installed one
	Images  bool     // superseded images of this machine's engine go, too
	DryRun  bool
	Confirm func(plan Result) (bool, error) // as in DeleteRequest
}

// ListRequest filters the list.
type ListRequest struct {
	Name    string // part of an image name, or "default"; "" lists all
	AllKeys bool   // packages of any user key
}

// ShowRequest names one runtime.
type ShowRequest struct {
	Name     string
	MemoryMB int // 0: every memory
}

// InvokeRequest names one runtime to call.
type InvokeRequest struct {
	Name     string
	MemoryMB int  // 0: the configured memory
	Count    int  // calls; 0 is 2: one cold or warm, one warm
	Cold     bool // call a copy that has never run
}

// Invocation is one measured call.
type Invocation struct {
	ActivationID string
	Cold         bool
	Total        time.Duration // as seen from here
	InitMS       int64
	RunMS        int64
	WaitMS       int64
}

// CleanRequest says how much to clean.
type CleanRequest struct {
	All       bool          // the namespace too
	JobsOnly  bool          // only lithops.jobs/
	OlderThan time.Duration // only objects last changed longer ago; 0 any
	DryRun    bool
	Confirm   func(plan Result) (bool, error)
}
