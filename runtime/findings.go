package runtime

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
)

// Detail is one runtime in full.
type Detail struct {
	Runtime
	BundleDeployed string // sha256 of the handler archive, "" when unknown
	BundleCurrent  string // sha256 of the archive the client's Lithops makes now
	DigestCurrent  string // digest the tag points to now; "" when not known
	ClientPython   string
	ClientLithops  string
	MetadataKey    string // object key
	MetadataStored bool
	CachePath      string
	CacheState     string   // "same", "absent", "stale"
	Modules        []string // preinstalled top-level modules, sorted
	Drift          []i18n.Message
	Annotations    map[string]any
}

// ConfigRequest says how to give the Lithops configuration.
type ConfigRequest struct {
	ShowSecrets bool
	Program     string // how this program was called
}

// ConfigWritten is what was done to a file of the Lithops configuration.
type ConfigWritten struct {
	File    string `json:"file"`
	Copy    string `json:"copy,omitempty"` // of what was there before; "" where nothing was, or nothing changed
	Changed bool   `json:"changed"`
}

// BuildRequest says what image to build.
type BuildRequest struct {
	Image      string
	Context    string
	Dockerfile string
	Args       map[string]string
	Platform   string
	Pull       bool
	NoCache    bool
	Target     string            // stage; "" is the last one
	Labels     map[string]string // of the image
	CacheFrom  []string          // images whose layers may be used again
	Network    string            // of RUN steps
	Secrets    []entity.BuildSecret
	SSH        []entity.BuildSSH
	Pin        bool // push the tag that is made from the digest, too
	NoPush     bool
	NoCheck    bool
}

// InitRequest says which skeleton to write.
type InitRequest struct {
	Dir    string
	Python string // "3.11"; "" the client's
	Conda  bool
	Force  bool
	// Program is how this program is called, for comments; "" within the IBM Cloud CLI.
	Program string
	// InImage is for a backend whose runtimes may have the code of Lithops in their image.
	InImage bool
}
