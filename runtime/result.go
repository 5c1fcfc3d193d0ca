package runtime

import (
	"time"

	"fn-runtime/i18n"
)

// Change is what a plan does to one thing.
type Change string

// The changes of a plan.
const (
	Create    Change = "create"
	Update    Change = "update"
	Delete    Change = "delete"
	Unchanged Change = "unchanged"
)

// Status is how far one item of a plan has come.
type Status string

// The statuses of an item. A dry run leaves every item Planned.
const (
	Planned Status = "planned"
	Done    Status = "done"
	Failed  Status = "failed"
	Skipped Status = "skipped" // not tried, because something before it failed or the user interrupted
)

// Kind is what an item is.
type Kind string

// The kinds, as JSON has them.
const (
	KindNamespace Kind = "namespace"
	KindPackage   Kind = "package"
	KindAction    Kind = "action"
	KindMetadata  Kind = "metadata" // an object of the bucket
	KindCache     Kind = "cache"    // the client's copy of metadata on this machine
	KindBucket    Kind = "bucket"
	KindObjects   Kind = "objects" // all under a prefix
	KindFiles     Kind = "files"   // a folder of this machine
	KindImage     Kind = "image"
)

// Item is one thing that a plan touches: a namespace, package, action, metadata object, cache entry, bucket or the
// objects below a prefix.
type Item struct {
	Change Change
	Kind   Kind
	Name   string
	Image  string       // of an action
	Memory int          // MB, of an action
	Region string       // where a command works in several; "" otherwise
	Reason i18n.Message // why this change: "bundle differs"
	Status Status
	Err    error // set when Status is Failed
	Count  int64 // of objects
	Took   time.Duration
}

// Result is the plan with what became of it, in the order in which it is applied. The same shape serves a dry run.
type Result struct {
	DryRun   bool
	Items    []Item
	Runtimes []Runtime // the runtimes that are deployed afterwards, as far as the operation knows them
}

// Changed tells whether anything but Unchanged stands in the plan.
func (r Result) Changed() bool {
	for _, it := range r.Items {
		if it.Change != Unchanged {
			return true
		}
	}
	return false
}

// State is whether the installed client can use a runtime.
type State string

// The states of a runtime.
const (
	Ready           State = "ready"
	NoMetadata      State = "no_metadata"      // action without metadata: the client deploys it again
	VersionMismatch State = "version_mismatch" // of another Lithops version than the client's
	PythonMismatch  State = "python_mismatch"  // runs another Python than the client
	Outdated        State = "outdated"         // its bundle or the digest of its image is not the current one
	OrphanMetadata  State = "orphan_metadata"  // metadata without action: the client hangs
)

// Runtime is one deployed runtime.
type Runtime struct {
	Name           string // as the user gives it to deploy: the image
	Image          string
	Digest         string // of the image, as deployed; "" when not known
	MemoryMB       int
	TimeoutS       int
	PythonVersion  string
	LithopsVersion string
	Package        string
	Action         string
	Namespace      string
	Region         string
	Backend        string
	State          State
	Reason         i18n.Message
	UpdatedAt      time.Time
}
