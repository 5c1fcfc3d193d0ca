// Package entity defines the types that compute services and stores share with the operations, such as scopes,
// runtimes, activations and objects.
//
// It contains plain values. It does not use HTTP, does not derive Lithops names, and does not define types that only
// one service needs.
package entity

import (
	"time"

	"fn-runtime/i18n"
)

// Scope contains the runtimes of one user in a service: a namespace of OpenWhisk or a project of Code Engine. On plain
// OpenWhisk, ID and Name are equal.
type Scope struct {
	ID   string // a GUID on IBM Cloud; "" if unknown
	Name string
}

// ID identifies a runtime in its scope.
type ID struct {
	Group string // group of runtimes, such as an OpenWhisk package; "" if the service has no groups
	Name  string // name of the action or job
}

func (id ID) String() string {
	if id.Group == "" {
		return id.Name
	}
	return id.Group + "/" + id.Name
}

// Registered is a runtime as a compute service stores it.
type Registered struct {
	ID        ID
	Reference string // image reference with a tag or digest; may be empty in lists if Notes contain the image
	MemoryMB  int
	MilliCPU  int // 0 if the service does not report it
	TimeoutMS int
	Notes     map[string]any // notes of this program (see NoteBundle) and of other tools
	UpdatedAt time.Time
	// Revision changes whenever anyone changes the runtime; "" if the service does not report it. In a runtime to
	// register, it is the revision that the registration replaces.
	Revision string

	// The following fields are derived from the runtime and its name. Register ignores them.

	Version     string // Lithops version in its name
	NamedMB     int    // memory in MB in its name
	MetadataKey string // key of the metadata object; runtimes with different memory sizes may share one
	Own         bool   // belongs to this user key
}

// Listing is the Lithops content of a scope, of every release and user key.
type Listing struct {
	Runtimes  []Registered
	Resources []Resource // other objects that runtimes need, if the listing returned them
}

// Resource is a service-specific object other than a runtime: a package, a config map, a secret.
type Resource struct {
	Term     Term
	Name     string
	Image    string // of the runtime that it belongs to; "" if none
	MemoryMB int    // of the runtime that it belongs to
}

// Term is the service's name for a kind of object.
type Term struct {
	Word string       // for JSON: "package"
	Text i18n.Message // for users: "Package"
}

// Terms are the service's names for the objects that every service has.
type Terms struct {
	Scope   Term
	Runtime Term
	// DeleteWarning is shown to users who delete a scope. It is zero if no warning is needed.
	DeleteWarning i18n.Message
}

// Usage is the usage of the quotas of a scope.
type Usage struct {
	Quotas    []Quota
	Leftovers []Resource // objects that count but are no longer needed
}

// Quota is the usage and the limit of one kind of object.
type Quota struct {
	Term        Term
	Used, Limit int
}

// The keys of the notes that deploy stores with a runtime, so that lists describe it without reading its metadata.
const (
	NoteBundle      = "fn-runtime-bundle"      // sha256 of the handler archive
	NoteImage       = "fn-runtime-image"       // image as the client names it; the runtime's name is derived from it
	NoteDigest      = "fn-runtime-digest"      // digest of the image when it was deployed; absent if unknown
	NotePrevious    = "fn-runtime-previous"    // digest of the image that ran before this one; absent if unknown
	NotePinned      = "fn-runtime-pinned"      // true: the runtime uses the fixed tag (see FixedTag) instead of the requested one
	NoteSource      = "fn-runtime-source"      // fingerprint of the directory from which apply built the image
	NoteLithops     = "fn-runtime-lithops"     // Lithops version
	NotePython      = "fn-runtime-python"      // "3.11", as requested by deploy and confirmed by the metadata call
	NoteVersion     = "fn-runtime-version"     // version of the plug-in
	NoteInterpreter = "fn-runtime-interpreter" // absolute path of the Python interpreter with which the local endpoint runs it
	NoteRevision    = "fn-runtime-revision"    // revision created by deploy; a later revision was created by another tool
	NoteCode        = "fn-runtime-code"        // CodeInImage; absent if the code is registered with the runtime
)

// NotesVariable is the environment variable that holds the notes as JSON if a service cannot store notes with a
// runtime.
const NotesVariable = "FN_RUNTIME"

// CodeInImage is the value of NoteCode if the image contains the Lithops code.
const CodeInImage = "image"

// OwnNotes returns the keys of the notes that deploy manages. Registering a runtime removes those that are not set.
func OwnNotes() []string {
	return []string{NoteBundle, NoteImage, NoteDigest, NotePrevious, NotePinned, NoteSource, NoteLithops, NotePython, NoteVersion, NoteInterpreter, NoteRevision, NoteCode}
}

// Note returns a note with a string value. It returns "" for any other value because notes are untrusted.
func (r Registered) Note(key string) string {
	s, _ := r.Notes[key].(string)
	return s
}

// Unmodified reports whether the runtime is certainly as deploy registered it. Notes survive if another tool registers
// other code under the same name, but the revision changes.
func (r Registered) Unmodified() bool {
	return r.Revision != "" && r.Note(NoteRevision) == r.Revision
}

// Replaced reports whether another tool has registered the runtime since deploy did. It returns false for a runtime
// that was deployed by a release without NoteRevision.
func (r Registered) Replaced() bool {
	return r.Revision != "" && r.Note(NoteRevision) != "" && !r.Unmodified()
}

// Pinned reports whether the runtime runs a digest of the image instead of its tag.
func (r Registered) Pinned() bool {
	yes, _ := r.Notes[NotePinned].(bool)
	return yes
}

// Activation is one invocation of a runtime.
type Activation struct {
	ID         string
	Done       bool // false if the blocking wait ended early; then only ID is known
	Success    bool
	Status     string // "success", "application error", "action developer error", "whisk internal error"
	StatusCode int    // 0, 1, 2, 3 in the order of Status
	Result     []byte // JSON
	Logs       []string
	Start      time.Time
	DurationMS int64
	InitMS     int64 // cold start time; 0 for a warm start (annotation initTime)
	WaitMS     int64 // time in the queue (annotation waitTime), before Start

	// The following fields are set if the service reports them.

	Runtime  ID
	MemoryMB int
	TimedOut bool  // ended by its time limit
	Work     *Work // nil if the service does not know the calls that it runs

	// Cause is the reason and the suggested fix if the service reports a failure itself. If it is nil, the result and
	// the logs contain the reason.
	Cause error
}

// Object is an object in a bucket.
type Object struct {
	Key       string
	Size      int64 // bytes
	UpdatedAt time.Time
	VersionID string // "" unless versions were requested
}
