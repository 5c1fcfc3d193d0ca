// Package site is one target as one Lithops client sees it: the ports through which it is worked on, the names that are
// made there, and what it holds of Lithops.
//
// What may go in: the ports, and what every operation reads with them. What may not: what is changed and in which order
// (runtime/plan), HTTP, SDKs, flags, the screen.
package site

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
)

// Target names where the operations work; it is shown to people and appears in JSON.
type Target struct {
	Backend       string       `json:"backend"` // "ibm_cf", "code_engine", "openwhisk" or "local"
	Region        string       `json:"region"`  // "" on openwhisk and local
	Namespace     string       `json:"namespace"`
	Endpoint      string       `json:"endpoint"`
	Bucket        string       `json:"bucket"`
	ResourceGroup string       `json:"resource_group,omitempty"` // id
	UserKeyFrom   i18n.Message `json:"-"`                        // where the user part of names came from
	HostPython    bool         `json:"host_python,omitempty"`    // the endpoint runs this machine's Python, not the image
	CAFile        string       `json:"ca_file,omitempty"`        // the authority of the local endpoint's certificate
	CABundle      string       `json:"-"`                        // CAFile and the system's authorities: for REQUESTS_CA_BUNDLE
	Proxy         string       `json:"-"`                        // the local endpoint's, where it stands for Code Engine; holds a secret
}

// EnvCommand is the command that prints what a shell needs so that its programs reach the embedded endpoint and verify it.
func (t Target) EnvCommand() string {
	if t.Proxy != "" {
		return "local env --as " + BackendCodeEngine
	}
	return "local env"
}

// The backends as the user names them.
const (
	BackendIBMCF      = string(lithops.IBMCF)
	BackendCodeEngine = string(lithops.CodeEngine)
	BackendOpenWhisk  = string(lithops.OpenWhisk)
	BackendLocal      = "local"
)

// Site is a target with what works on it.
type Site struct {
	Target   Target
	Install  lithops.Install
	Contract lithops.Contract
	Settings lithops.Compute // of the Lithops configuration: runtime, memory, timeout, docker server
	Storage  lithops.Storage // what the Lithops configuration says of the bucket
	Compute  Compute
	Store    Store
	Images   Images // nil where no operation of the command needs it
	Cache    lithops.Cache
	Observer Observer // nil: nobody watches
	Jobs     int      // calls at the same time; 0 chooses
	Version  string   // of the plug-in, for notes
}

// Place names where the runtimes are, in the service's word for it.
func (s *Site) Scope() i18n.Message {
	if s.Contract.Backend == lithops.CodeEngine {
		return i18n.M("project {{.Name}}", "Name", s.Target.Namespace)
	}
	return i18n.M("namespace {{.Name}}", "Name", s.Target.Namespace)
}

// Begin starts a step for whoever watches. The function returned ends it.
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

// Note says something that matters but stops nothing.
func (s *Site) Note(text i18n.Message) {
	if s.Observer != nil {
		s.Observer.Note(text)
	}
}

// Warn says something that the user should act on.
func (s *Site) Warn(text i18n.Message) {
	if s.Observer != nil {
		s.Observer.Warn(text)
	}
}
