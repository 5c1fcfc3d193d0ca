package entity

import "time"

// Sweep selects the objects of a bucket to delete.
type Sweep struct {
	Prefixes  []string                // exact, ending in "/"; objects outside of them are not touched
	OlderThan time.Time               // zero: any age; else only objects last modified before this time
	DryRun    bool                    // count only
	Progress  func(deleted, seen int) // may be nil; called from several goroutines, but not concurrently
}

// Purged counts objects, including each version and delete marker, and unfinished multipart uploads.
type Purged struct {
	Seen    int
	Deleted int
	Bytes   int64
	Uploads int
	Failed  []string // "key: reason", at most 100; Seen-Deleted is their number
}
