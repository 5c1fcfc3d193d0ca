package runtime

import (
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Types of plans and checks.
type (
	Target = site.Target
	State  = site.State
	Item   = plan.Item
	Change = plan.Change
	Status = plan.Status
	Kind   = plan.Kind
	Check  = check.Check
)

// Names of runtimes with a special meaning, and the names of the backends.
const (
	DefaultName       = site.DefaultName
	AllName           = site.AllName
	BackendIBMCF      = site.BackendIBMCF
	BackendCodeEngine = site.BackendCodeEngine
	BackendOpenWhisk  = site.BackendOpenWhisk
	BackendLocal      = site.BackendLocal
)

// The changes of a plan, and the statuses and kinds of its items.
const (
	Create    = plan.Create
	Update    = plan.Update
	Delete    = plan.Delete
	Unchanged = plan.Unchanged

	Planned = plan.Planned
	Done    = plan.Done
	Failed  = plan.Failed
	Skipped = plan.Skipped

	KindScope    = plan.KindScope
	KindResource = plan.KindResource
	KindRuntime  = plan.KindRuntime
	KindMetadata = plan.KindMetadata
	KindCache    = plan.KindCache
	KindBucket   = plan.KindBucket
	KindObjects  = plan.KindObjects
	KindFiles    = plan.KindFiles
	KindImage    = plan.KindImage
)

// Result is a plan with the status of its items, in the order in which it is applied. A dry run returns the same
// structure.
type Result struct {
	DryRun   bool
	Items    []Item
	Runtimes []Runtime // deployed afterwards, if known
}

// Changed reports whether the plan contains a change.
func (r Result) Changed() bool {
	for _, it := range r.Items {
		if it.Change != Unchanged {
			return true
		}
	}
	return false
}

// The states of a runtime.
const (
	Ready           = site.Ready
	NoMetadata      = site.NoMetadata
	VersionMismatch = site.VersionMismatch
	PythonMismatch  = site.PythonMismatch
	Outdated        = site.Outdated
	OrphanMetadata  = site.OrphanMetadata
)

// Runtime is a deployed runtime.
type Runtime struct {
	Name           string // as passed to deploy: the image
	Image          string
	Digest         string // of the image when it was deployed; "" if unknown
	MemoryMB       int
	MilliCPU       int // 0 if the backend offers no choice
	TimeoutS       int
	PythonVersion  string
	LithopsVersion string
	ID             entity.ID // in the compute service
	Namespace      string
	Region         string
	Backend        string
	State          State
	Reason         i18n.Message
	UpdatedAt      time.Time
}
