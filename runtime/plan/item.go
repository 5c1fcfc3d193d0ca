package plan

import (
	"cmp"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// Change is what a plan does to one resource.
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

// The kinds. The first three are what only the compute service has a word for: see Item.Term.
const (
	KindScope    Kind = "place"
	KindResource Kind = "thing" // what runtimes of this service need beside them
	KindRuntime  Kind = "runtime"
	KindMetadata Kind = "metadata" // an object of the bucket
	KindCache    Kind = "cache"    // the client's copy of metadata on this machine
	KindBucket   Kind = "bucket"
	KindObjects  Kind = "objects" // all under a prefix
	KindFiles    Kind = "files"   // a folder of this machine
	KindImage    Kind = "image"
)

// Item is one resource that a plan touches.
type Item struct {
	Change Change
	Kind   Kind
	Term   entity.Term // what the compute service calls it; zero where Kind says it
	Name   string
	Image  string       // of a runtime and what belongs to it
	Memory int          // MB, of a runtime and what belongs to it
	Region string       // where a command works in several; "" otherwise
	Reason i18n.Message // why this change: "bundle differs"
	Status Status
	Err    error // set when Status is Failed
	Count  int64 // of objects
	Took   time.Duration
}

// Word is what the item is, for programs.
func (it Item) Word() string { return cmp.Or(it.Term.Word, string(it.Kind)) }

// errSkipped stands for work that was not tried because something before it failed.
var errSkipped = errors.New("skipped")

// settle sets the status of an item from the error of the work on it. An interrupted command has not tried it.
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
