package runtime

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
)

// Detail contains all information about one runtime.
type Detail struct {
	Runtime
	BundleDeployed string // sha256 of the handler archive; "" if unknown
	BundleCurrent  string // sha256 of the archive of the client's Lithops
	DigestCurrent  string // digest that the tag points to now; "" if unknown
	ClientPython   string
	ClientLithops  string
	MetadataKey    string // object key
	MetadataStored bool
	CachePath      string
	CacheState     string   // CacheSame, CacheAbsent or CacheStale
	Modules        []string // preinstalled top-level Python modules, sorted
	Drift          []i18n.Message
	Annotations    map[string]any
}

// ConfigRequest contains the options for printing the Lithops configuration.
type ConfigRequest struct {
	ShowSecrets bool
	Program     string // name of this program in comments
}

// ConfigWritten describes the changes to a Lithops configuration file.
type ConfigWritten struct {
	File    string `json:"file"`
	Copy    string `json:"copy,omitempty"` // path of the copy of the old file; "" if there was none or nothing changed
	Changed bool   `json:"changed"`
}

// BuildRequest describes an image to build.
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
	CacheFrom  []string          // images whose layers may be reused
	Network    string            // of RUN steps
	Secrets    []entity.BuildSecret
	SSH        []entity.BuildSSH
	Pin        bool // also push the tag that is derived from the digest
	NoPush     bool
	NoCheck    bool
}

// InitRequest describes a skeleton to write.
type InitRequest struct {
	Dir    string
	Python string // "3.11"; "" selects the client's version
	Conda  bool
	Force  bool
	// Program is the name of this program in comments; "" within the IBM Cloud CLI.
	Program string
	// InImage selects an image that contains the Lithops code, on a backend that supports it.
	InImage bool
}
