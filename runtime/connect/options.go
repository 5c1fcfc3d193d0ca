// Package connect builds a runtime.Service from what is known: flags, session, environment, Lithops configuration and
// the Lithops installation.
//
// What may go in: choices and their order (which backend, which credentials, which namespace), and wiring. What may
// not: operations, flags, the CLI SDK. Nothing is read or dialled that the service's command does not need.
package connect

import (
	"context"
	"io"
	"time"

	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/transport"
)

// Session is what a logged-in CLI knows. A nil *Session means not logged in.
type Session struct {
	Region          string
	ResourceGroupID string // of the targeted group, "" when none is
	AccountID       string
	AccountName     string
	IAMEndpoint     string // "https://iam.cloud.ibm.com"
	PrivateEndpoint bool
	// Token returns the IAM access token without "Bearer "; with refresh it gets a new one first.
	Token func(ctx context.Context, refresh bool) (string, error)
	// ResourceGroup finds the id of a resource group by name, for -g.
	ResourceGroup func(ctx context.Context, name string) (string, error)
}

// Options is what a command gives to Open. The zero value of a field means: not given.
type Options struct {
	Backend       string // "ibm_cf", "code_engine", "openwhisk", "local"
	As            string // on "local", the service that the endpoint stands for: "code_engine"; "" itself
	ConfigFile    string
	Region        string
	ResourceGroup string // name or id
	Namespace     string
	Bucket        string
	UserKey       string // user part of package names, --user-key
	Python        string // interpreter path or "3.11": which Python to look for Lithops in
	LithopsDir    string
	Jobs          int
	Host          Host
	NeedStore     bool
	NeedInstall   bool // the operation needs the client's Lithops
	NeedImages    bool
	// LocalOnly is for commands that touch no compute service, init and build: a backend is taken from the
	// configuration where there is one, and its absence is no error.
	LocalOnly bool
	// Tolerant is for doctor: what is missing is left in Service.Problems instead of being an error.
	Tolerant bool
	// Passive is for completion: a local endpoint that does not run is not started.
	Passive bool
}

// Host is the process around a command.
type Host struct {
	Session     *Session
	Getenv      func(string) string
	Home        string        // the user's home
	WorkDir     string        // the working directory
	StateDir    string        // the plug-in's own folder, for the local endpoint's state and caches
	Executable  string        // this binary, to start the local endpoint with
	Version     string        // of the plug-in
	HTTPTimeout time.Duration // 0: the default
	// Pipes remembers the configuration where the user gave a pipe; nil reads it for each service that is opened.
	Pipes *regular.PipeCache
	// Retries is what the command may spend on repetitions altogether; nil: the default, for each service that is opened.
	Retries       *transport.Budget
	SkipTLSVerify bool
	Trace         io.Writer // nil: none
	Observer      site.Observer
}
