package entity

import "time"

// Sweep selects the objects of a bucket that are deleted as a stream.
type Sweep struct {
	Prefixes  []string                // exact, ending in "/": nothing outside them is touched
	OlderThan time.Time               // zero: any age; else only objects last changed before it
	DryRun    bool                    // count only
	Progress  func(deleted, seen int) // may be nil; called from several goroutines, one at a time
}

// Purged counts objects (versions and delete markers each count) and unfinished multipart uploads.
type Purged struct {
	Seen    int
	Deleted int
	Bytes   int64
	Uploads int
	Failed  []string // "key: reason", at most 100; Seen-Deleted tells the number
}
