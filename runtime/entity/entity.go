// Package entity holds the nouns that a compute service and a store share with the operations: namespace, package,
// action, activation, object. The words are Apache OpenWhisk's and S3's.
//
// What may go in: plain values. What may not: behaviour, HTTP, names that Lithops makes.
package entity

import "time"

// Namespace is where packages live. On plain OpenWhisk ID and Name are the same.
type Namespace struct {
	ID   string // GUID on IBM Cloud Functions
	Name string
}

// Package groups actions.
type Package struct {
	Name      string
	UpdatedAt time.Time
}

// Action is a registered function. Lists leave Image empty: the API returns exec.image only when one action is read.
type Action struct {
	Package     string
	Name        string
	Image       string // exec.image, "" in lists
	MemoryMB    int
	TimeoutMS   int
	Annotations map[string]any
	UpdatedAt   time.Time
}

// InterpreterAnnotation names the Python that the local endpoint runs an action with, an absolute path.
const InterpreterAnnotation = "fn-runtime-interpreter"

// Code is what an action runs: a zip archive in base64, as PUT action wants it in exec.code.
type Code struct {
	Base64 string
}

// Activation is one run of an action.
type Activation struct {
	ID         string
	Done       bool // false: the blocking wait ended early, only ID is known
	Success    bool
	Status     string // "success", "application error", "action developer error", "whisk internal error"
	StatusCode int    // 0, 1, 2, 3 in the order of Status
	Result     []byte // JSON
	Logs       []string
	Start      time.Time
	DurationMS int64
	InitMS     int64 // 0 for a warm start (annotation initTime)
	WaitMS     int64 // time in the queue (annotation waitTime)
}

// Object is an entry of a bucket.
type Object struct {
	Key       string
	Size      int64 // bytes
	UpdatedAt time.Time
	VersionID string // "" unless versions were asked for
}
