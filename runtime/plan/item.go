package plan

import (
	"cmp"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// Change is the change that a plan makes to an object.
type Change string

// The changes of a plan.
const (
	Create    Change = "create"
	Update    Change = "update"
	Delete    Change = "delete"
	Unchanged Change = "unchanged"
)

// Status is the progress of an item of a plan.
type Status string

// The statuses of an item. In a dry run every item remains Planned.
const (
	Planned Status = "planned"
	Done    Status = "done"
	Failed  Status = "failed"
	Skipped Status = "skipped" // not tried, because an earlier item failed or the user interrupted
)

// Kind is the kind of object that an item represents.
type Kind string

// The kinds of objects. The compute service has its own term for the first three: see Item.Term.
const (
	KindScope    Kind = "place"
	KindResource Kind = "thing" // a service-specific object that runtimes need
	KindRuntime  Kind = "runtime"
	KindMetadata Kind = "metadata" // an object of the bucket
	KindCache    Kind = "cache"    // the client's copy of metadata on this machine
	KindBucket   Kind = "bucket"
	KindObjects  Kind = "objects" // all objects with a prefix
	KindFiles    Kind = "files"   // a directory on this machine
	KindImage    Kind = "image"
)

// Item is one object that a plan changes.
type Item struct {
	Change Change
	Kind   Kind
	Term   entity.Term // the compute service's term; zero if Kind is sufficient
	Name   string
	Image  string       // of the runtime that it belongs to
	Memory int          // in MB, of the runtime that it belongs to
	Region string       // set if a command works in several regions
	Reason i18n.Message // why the change is needed
	Status Status
	Err    error // set when Status is Failed
	Count  int64 // number of objects
	Took   time.Duration
}

// Word returns the name of the kind for programs.
func (it Item) Word() string { return cmp.Or(it.Term.Word, string(it.Kind)) }

// errSkipped marks work that was not tried because an earlier step failed.
var errSkipped = errors.New("skipped")

// settle sets the status of an item from the error of its work. If the command was interrupted, the item is skipped.
func (it *Item) settle(err error) {
	switch {
	case err == nil:
		it.Status = Done
	case errors.Is(err, errSkipped) || fault.Is(err, fault.Interrupted):
		it.Status = Skipped
	default:
		it.Status, it.Err = Failed, err
	}
}
