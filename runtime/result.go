package runtime

import (
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// What plans and checks are made of, from the rooms below.
type (
	Target = site.Target
	State  = site.State
	Item   = plan.Item
	Change = plan.Change
	Status = plan.Status
	Kind   = plan.Kind
	Check  = check.Check
)

// The names that users say, and the backends as they name them.
const (
	DefaultName       = site.DefaultName
	AllName           = site.AllName
	BackendIBMCF      = site.BackendIBMCF
	BackendCodeEngine = site.BackendCodeEngine
	BackendOpenWhisk  = site.BackendOpenWhisk
	BackendLocal      = site.BackendLocal
)

// The changes of a plan, the statuses and the kinds of its items.
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

// Result is the plan with what became of it, in the order in which it is applied. The same shape serves a dry run.
type Result struct {
	DryRun   bool
	Items    []Item
	Runtimes []Runtime // the runtimes that are deployed afterwards, as far as the operation knows them
}

// Changed reports whether anything but Unchanged stands in the plan.
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

// Runtime is one deployed runtime.
type Runtime struct {
	Name           string // as the user gives it to deploy: the image
	Image          string
	Digest         string // of the image, as deployed; "" when not known
	MemoryMB       int
	MilliCPU       int // thousandths; 0 where the backend has no choice
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
