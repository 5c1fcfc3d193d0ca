// Package entity holds the nouns that compute services and a store share with the operations: place, runtime, activation,
// object.
//
// What may go in: plain values. What may not: HTTP, names that Lithops makes, nouns that only one service has.
package entity

import (
	"time"

	"fn-runtime/i18n"
)

// Scope is what a service keeps runtimes in for one user: a namespace of OpenWhisk, a project of Code Engine. On plain
// OpenWhisk ID and Name are the same.
type Scope struct {
	ID   string // GUID on IBM Cloud; "" until it is known
	Name string
}

// ID names a runtime in its place.
type ID struct {
	Group string // of runtimes, such as a package of OpenWhisk; "" where the service has none
	Name  string // of the action or job
}

func (id ID) String() string {
	if id.Group == "" {
		return id.Name
	}
	return id.Group + "/" + id.Name
}

// Registered is a runtime as a compute service keeps it.
type Registered struct {
	ID        ID
	Reference string // of the image that it runs, by tag or digest; lists may leave it empty where Notes tell the image
	MemoryMB  int
	MilliCPU  int // thousandths of a processor; 0 where a service does not say
	TimeoutMS int
	Notes     map[string]any // what is kept with it, ours and others'; see the constants Note...
	UpdatedAt time.Time
	// Revision is what the service counts on at every change, whoever makes it; "" where it does not tell. Of a runtime to
	// register it is the one that it replaces.
	Revision string

	// What follows is read from it and its name; Register leaves it aside.

	Version     string // of the Lithops that it was named for
	NamedMB     int    // the memory in MB that it was named for
	MetadataKey string // of the object that holds its metadata; runtimes of several memories may share one
	Own         bool   // it belongs to this user's key
}

// Listing is what a place holds of Lithops, of every release and user key.
type Listing struct {
	Runtimes  []Registered
	Resources []Resource // that runtimes need beside them, as far as the listing saw them
}

// Resource is something that only one service has, beside its runtimes: a package, a config map, a secret.
type Resource struct {
	Term     Term
	Name     string
	Image    string // where it belongs to a runtime; else ""
	MemoryMB int    // the same
}

// Term is what a service calls something.
type Term struct {
	Word string       // for programs: "package"
	Text i18n.Message // for people: "Package"
}

// Terms are a service's words for what every service has.
type Terms struct {
	Scope   Term
	Runtime Term
	// Removal is what users have to know who remove a place; zero: nothing.
	Removal i18n.Message
}

// Usage is how much of what a place may have is used.
type Usage struct {
	Quotas    []Quota
	Leftovers []Resource // among it what nobody has need of any more
}

// Quota is one of them.
type Quota struct {
	Term        Term
	Used, Limit int
}

// The notes that deploy leaves with a runtime, so that lists tell what it is without reading it.
const (
	NoteBundle      = "fn-runtime-bundle"      // sha256 of the handler archive
	NoteImage       = "fn-runtime-image"       // image as the client names it; the runtime's name is made from it
	NoteDigest      = "fn-runtime-digest"      // digest of the image when it was deployed; absent when not known
	NotePrevious    = "fn-runtime-previous"    // digest of the image that it ran before this one; absent when not known
	NotePinned      = "fn-runtime-pinned"      // true: a tag that is never moved runs, not the one that was named
	NoteSource      = "fn-runtime-source"      // fingerprint of the folder that apply built the image from
	NoteLithops     = "fn-runtime-lithops"     // Lithops version
	NotePython      = "fn-runtime-python"      // "3.11", as the metadata call found it to be expected
	NoteVersion     = "fn-runtime-version"     // of the plug-in
	NoteInterpreter = "fn-runtime-interpreter" // the Python that the local endpoint runs it with, an absolute path
	NoteRevision    = "fn-runtime-revision"    // the revision that deploy made; a later one is of another tool
	NoteCode        = "fn-runtime-code"        // CodeInImage; absent where the code is registered with the runtime
)

// NotesVariable is the variable that holds the notes, as JSON, where a service keeps no others with a runtime.
const NotesVariable = "FN_RUNTIME"

// CodeInImage is where the Lithops code comes from that is not registered with a runtime.
const CodeInImage = "image"

// OwnNotes returns the keys of the notes that deploy leaves: what is registered has of these only those that it names.
func OwnNotes() []string {
	return []string{NoteBundle, NoteImage, NoteDigest, NotePrevious, NotePinned, NoteSource, NoteLithops, NotePython, NoteVersion, NoteInterpreter, NoteRevision, NoteCode}
}

// Note returns a note that is text; anything else counts as absent, because notes come from the server.
func (r Registered) Note(key string) string {
	s, _ := r.Notes[key].(string)
	return s
}

// Unmodified reports whether the runtime is certainly as deploy registered it: notes survive when another tool registers
// other code under the same name, revisions do not.
func (r Registered) Unmodified() bool {
	return r.Revision != "" && r.Note(NoteRevision) == r.Revision
}

// Replaced reports whether another tool has registered the runtime anew since deploy did. One that was deployed before
// notes told revisions is not known to be replaced.
func (r Registered) Replaced() bool {
	return r.Revision != "" && r.Note(NoteRevision) != "" && !r.Unmodified()
}

// Pinned reports whether the digest of the image runs, not its tag.
func (r Registered) Pinned() bool {
	yes, _ := r.Notes[NotePinned].(bool)
	return yes
}

// Activation is one call of a runtime.
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
	WaitMS     int64 // time in the queue (annotation waitTime), before Start

	// What follows tells of which runtime and for whom, as far as the service does.

	Runtime  ID
	MemoryMB int
	TimedOut bool  // it was ended by its time limit
	Work     *Work // nil: the service does not know what it runs

	// Cause is why it failed, with what to do, where the service itself tells; nil where its result and logs have to.
	Cause error
}

// Object is an entry of a bucket.
type Object struct {
	Key       string
	Size      int64 // bytes
	UpdatedAt time.Time
	VersionID string // "" unless versions were asked for
}
