// Package site represents one target as one Lithops client sees it: the interfaces to its services, the names of its
// runtimes, and its Lithops content.
//
// It contains the interfaces and the queries that all operations share. It does not change the target, which is done in
// runtime/plan, and does not use HTTP, SDKs, flags or the screen.
package site

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
)

// Target identifies the service, scope and bucket that the operations use. It is shown to users and is part of the JSON
// output.
type Target struct {
	Backend       string       `json:"backend"` // "ibm_cf", "code_engine", "openwhisk" or "local"
	Region        string       `json:"region"`  // empty for openwhisk and local
	Namespace     string       `json:"namespace"`
	Endpoint      string       `json:"endpoint"`
	Bucket        string       `json:"bucket"`
	ResourceGroup string       `json:"resource_group,omitempty"` // ID
	UserKeyFrom   i18n.Message `json:"-"`                        // source of the user part of names
	HostPython    bool         `json:"host_python,omitempty"`    // the endpoint runs this machine's Python, not the image
	CAFile        string       `json:"ca_file,omitempty"`        // CA of the local endpoint's certificate
	CABundle      string       `json:"-"`                        // CAFile and the system CAs, for REQUESTS_CA_BUNDLE
	Proxy         string       `json:"-"`                        // URL of the local endpoint's proxy if the endpoint emulates Code Engine; contains a secret
}

// EnvCommand returns the command that prints the environment variables with which programs reach and verify the local
// endpoint.
func (t Target) EnvCommand() string {
	if t.Proxy != "" {
		return "local env --as " + BackendCodeEngine
	}
	return "local env"
}

// The names of the backends in options and output.
const (
	BackendIBMCF      = string(lithops.IBMCF)
	BackendCodeEngine = string(lithops.CodeEngine)
	BackendOpenWhisk  = string(lithops.OpenWhisk)
	BackendLocal      = "local"
)

// Site is a target with the interfaces to its services.
type Site struct {
	Target   Target
	Install  lithops.Install
	Contract lithops.Contract
	Settings lithops.Compute // from the Lithops configuration: runtime, memory, timeout, registry
	Storage  lithops.Storage // the storage section of the Lithops configuration
	Compute  Compute
	Store    Store
	Images   Images // nil if the command does not need it
	Cache    lithops.Cache
	Observer Observer // nil to report nothing
	Jobs     int      // number of concurrent calls; 0 selects the default
	Version  string   // of the plug-in, stored in notes
}

// Scope returns the name of the scope with the service's term for it.
func (s *Site) Scope() i18n.Message {
	if s.Contract.Backend == lithops.CodeEngine {
		return i18n.M("project {{.Name}}", "Name", s.Target.Namespace)
	}
	return i18n.M("namespace {{.Name}}", "Name", s.Target.Namespace)
}

// Begin starts a step and reports it to the observer. The returned function ends the step.
func (s *Site) Begin(step i18n.Message) func(error) {
	if s.Observer != nil {
		if end := s.Observer.Begin(i18n.M("{{.Step}}...", "Step", step)); end != nil {
			return end
		}
	}
	return func(error) {}
}

// Progress reports the counts of the current step.
func (s *Site) Progress(done, total int) {
	if s.Observer != nil {
		s.Observer.Progress(int64(done), int64(total), "")
	}
}

// Note reports something that matters but does not stop the operation.
func (s *Site) Note(text i18n.Message) {
	if s.Observer != nil {
		s.Observer.Note(text)
	}
}

// Warn reports something that the user should act on.
func (s *Site) Warn(text i18n.Message) {
	if s.Observer != nil {
		s.Observer.Warn(text)
	}
}
