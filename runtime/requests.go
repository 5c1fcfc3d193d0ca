package runtime

import "time"

// DeployRequest describes runtimes to register.
type DeployRequest struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: the configured memory
	MilliCPU int    // 0: the default for the memory size
	TimeoutS int    // 0: the configured timeout
	InImage  bool   // the image contains the Lithops code
	Python   string // "3.11": selects the default image, and the runtime must have this version; "" is the client's version
	Pin      bool   // register the image under a tag that is never moved
	Force    bool   // deploy even if nothing differs
	DryRun   bool
}

// UpdateRequest selects deployed runtimes to update to the client's Lithops code.
type UpdateRequest struct {
	Name     string // "default", "all" or an image reference
	MemoryMB []int  // empty: every memory
	TimeoutS int    // 0: unchanged
	Force    bool
	DryRun   bool
}

// DeleteRequest selects runtimes to delete.
type DeleteRequest struct {
	Name           string // "default", "all" or an image reference
	MemoryMB       []int  // empty: every memory
	LithopsVersion string // "" selects every version
	DryRun         bool
	// Confirm is called once with the plan before anything is deleted. A nil function means yes.
	Confirm func(plan Result) (bool, error)
}

// RollbackRequest selects runtimes to roll back to their previous image.
type RollbackRequest struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: every memory
	DryRun   bool
}

// PruneRequest selects the objects that Prune deletes.
type PruneRequest struct {
	Keep    []string // Lithops releases to keep in addition to the installed one
	Images  bool     // also delete superseded images in the local container engine
	DryRun  bool
	Confirm func(plan Result) (bool, error) // as in DeleteRequest
}

// ListRequest filters the list of runtimes.
type ListRequest struct {
	Name    string // part of an image name, or "default"; "" lists all
	AllKeys bool   // include runtimes of other user keys
}

// ShowRequest selects a runtime.
type ShowRequest struct {
	Name     string
	MemoryMB int // 0: every memory
}

// InvokeRequest selects a runtime to invoke.
type InvokeRequest struct {
	Name     string
	MemoryMB int  // 0: the configured memory
	Count    int  // number of calls; 0 selects 2, so that the second call is warm
	Cold     bool // invoke a copy of the runtime, which has never run
}

// Invocation is a measured call.
type Invocation struct {
	ActivationID string
	Cold         bool
	Total        time.Duration // measured by this program
	InitMS       int64
	RunMS        int64
	WaitMS       int64
}

// CleanRequest selects the data that Clean deletes.
type CleanRequest struct {
	All       bool          // also the scope
	JobsOnly  bool          // only lithops.jobs/
	OlderThan time.Duration // only job objects that were last modified longer ago than this; 0 selects all
	DryRun    bool
	Confirm   func(plan Result) (bool, error)
}
