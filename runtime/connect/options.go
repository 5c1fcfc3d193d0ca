// Package connect builds a runtime.Service from flags, the session, the environment, the Lithops configuration and
// the Lithops installation.
//
// It selects the backend, the credentials and the namespace, and connects the packages that the service uses. It does
// not implement operations, parse flags or use the CLI SDK. It reads only the files and contacts only the servers
// that the command needs.
package connect

import (
	"context"
	"io"
	"time"

	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/transport"
)

// Session holds the data of a logged-in IBM Cloud CLI. A nil *Session means that the user is not logged in.
type Session struct {
	Region          string
	ResourceGroupID string // ID of the targeted group; empty if none is targeted
	AccountID       string
	AccountName     string
	IAMEndpoint     string // "https://iam.cloud.ibm.com"
	PrivateEndpoint bool
	// Token returns the IAM access token without "Bearer ". With refresh it requests a new token first.
	Token func(ctx context.Context, refresh bool) (string, error)
	// ResourceGroup returns the ID of a resource group for the name in --resource-group.
	ResourceGroup func(ctx context.Context, name string) (string, error)
}

// Options holds the settings that a command passes to Open. The zero value of a field means that the setting was not
// specified.
type Options struct {
	Backend       string // "ibm_cf", "code_engine", "openwhisk", "local"
	As            string // with "local": the service that the endpoint emulates, "code_engine" or ""
	ConfigFile    string
	Region        string
	ResourceGroup string // name or ID
	Namespace     string
	Bucket        string
	UserKey       string // user part of package names, --user-key
	Python        string // path or version ("3.11") of the Python interpreter with Lithops
	LithopsDir    string
	Jobs          int
	Host          Host
	NeedStore     bool
	NeedInstall   bool // the operation needs the Lithops installation of the client
	NeedImages    bool
	// LocalOnly is for commands that do not use the compute service: init and build. The backend is read from the
	// configuration if there is one; a missing backend is not an error.
	LocalOnly bool
	// Tolerant is for doctor. Errors are stored in Service.Problems.
	Tolerant bool
	// Passive is for shell completion. A stopped local endpoint is not started.
	Passive bool
}

// Host describes the environment of a command.
type Host struct {
	Session     *Session
	Getenv      func(string) string
	Home        string        // home directory of the user
	WorkDir     string        // the working directory
	StateDir    string        // directory of the plug-in for caches and the state of the local endpoint
	Executable  string        // path of this binary, which also runs the local endpoint
	Version     string        // of the plug-in
	HTTPTimeout time.Duration // 0 selects the default
	// Pipes caches a configuration that was read from a pipe. If nil, each service reads its configuration again.
	Pipes *regular.PipeCache
	// Retries is the retry budget of the whole command. If nil, each service has the default budget.
	Retries       *transport.Budget
	SkipTLSVerify bool
	Trace         io.Writer // nil disables tracing
	Observer      site.Observer
}
