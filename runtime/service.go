// Package runtime is what a Lithops runtime is and what can be done to it. Each operation is one method of Service in
// a file of its own: it makes a plan, and applies it unless the request says DryRun.
//
// What may go in: operations, their requests and results, the ports they need. What may not: HTTP, SDKs, flags, and
// anything that reaches the screen.
package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
)

// Target names where the operations work; it is shown to people and appears in JSON.
type Target struct {
	Backend       string       `json:"backend"` // "ibm_cf", "openwhisk" or "local"
	Region        string       `json:"region"`  // "" on openwhisk and local
	Namespace     string       `json:"namespace"`
	NamespaceID   string       `json:"namespace_id,omitempty"` // "" until it is known
	Endpoint      string       `json:"endpoint"`
	Bucket        string       `json:"bucket"`
	ResourceGroup string       `json:"resource_group,omitempty"` // id
	UserKeyFrom   i18n.Message `json:"-"`                        // where the user part of package names came from
	HostPython    bool         `json:"host_python,omitempty"`    // the endpoint runs this machine's Python, not the image
	CAFile        string       `json:"ca_file,omitempty"`        // the authority of the local endpoint's certificate
	CABundle      string       `json:"-"`                        // CAFile and the system's authorities: for REQUESTS_CA_BUNDLE
}

// Service does the operations on one target for one installed Lithops client.
type Service struct {
	Target    Target
	Install   lithops.Install
	Contract  lithops.Contract
	Limits    lithops.Limits  // of the service where they are known; zero takes those of the backend
	Compute   lithops.Compute // defaults of the Lithops configuration: runtime, memory, timeout, docker server
	Storage   lithops.Storage // what the Lithops configuration says of the bucket
	Config    *lithops.Config // that configuration; nil where none was read
	Functions Functions
	Store     Store
	Images    Images // nil where no operation of the command needs it
	Cache     lithops.Cache
	TempDir   string // where the client keeps the files of its jobs on this machine; "" is left alone by Clean
	Namespace NamespaceRef
	Observer  Observer
	Clock     Clock
	Jobs      int    // calls at the same time; 0 chooses
	Version   string // of the plug-in, for annotations
	// AskClient has the Lithops client load the configuration that is used, names it, and fails with the client's words where
	// it refuses it; nil where there is none. Doctor asks.
	AskClient func(ctx context.Context) (source string, err error)
	// Problems holds, by the name of a check of Doctor, why a part of the service could not be had. Only Doctor
	// works with a service that has any.
	Problems map[string]error
	// ClientDoubt is why the Lithops client of this environment would not work with the local endpoint, or not in safety;
	// nil for other targets. Doctor shows it.
	ClientDoubt error
}

// NamespaceRef finds the namespace of the target when an operation needs it, at most once.
type NamespaceRef interface {
	// Find gives the namespace; fault.NotFound when it does not exist yet.
	Find(ctx context.Context) error
	// Create finds it, or makes it in the target's resource group.
	Create(ctx context.Context) (created bool, err error)
	// Delete removes the namespace and what the caches know of it; fault.NotFound when the service does not know it.
	Delete(ctx context.Context) error
}

// Observer is told how the work goes on. Its methods may be called from several goroutines.
type Observer interface {
	// Begin starts a step: "Deploying runtime X in namespace Y...". The function returned ends it.
	Begin(step i18n.Message) (end func(err error))
	// Progress reports the counts of the current step; total 0 means unknown. unit is "" or "bytes".
	Progress(done, total int64, unit string)
	// Note says something that matters but stops nothing: a retry, a choice made, a warning.
	Note(text i18n.Message)
	// Warn says something that the user should act on.
	Warn(text i18n.Message)
}
