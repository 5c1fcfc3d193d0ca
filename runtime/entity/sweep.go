package entity

import "time"

// Sweep selects the objects of a bucket to delete.
type Sweep struct {
	Prefixes  []string                // exact, ending in "/"; objects outside of them are not touched
	OlderThan time.Time               // zero: any age; else only objects last modified before this time
	DryRun    bool                    // count only
	Progress  func(deleted, seen int) // may be nil; called from several goroutines, but not concurrently
}

// Purged is the result of a purge. Each version of an object and each delete marker counts as an object.
type Purged struct {
	Seen    int      // selected objects
	Deleted int      // deleted objects
	Bytes   int64    // size of the selected objects
	Uploads int      // aborted multipart uploads; in a dry run, those to abort
	Failed  []string // "key: reason" of objects and uploads that could not be deleted, at most 100
}
