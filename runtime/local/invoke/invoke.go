// Package invoke is what the local endpoint and its invokers tell each other: run this action, that is what came of it.
//
// What may go in: the values of that conversation and the interface. What may not: behaviour; it is a leaf that both
// sides import.
package invoke

import (
	"context"
	"encoding/json"
	"time"
)

// Invoker runs actions. It owns their processes or containers: how many there are, how long they stay warm and when they
// are evicted. Its methods may be called from several goroutines.
type Invoker interface {
	// Run runs one activation to its end. What the action does wrong is an Outcome, not an error; an error means that
	// the invoker could not do its part, and the endpoint records "whisk internal error" with it. A ctx that ends kills
	// the activation.
	Run(ctx context.Context, inv Invocation) (Outcome, error)
	// Close ends whatever still runs and leaves no process or container behind.
	Close(ctx context.Context) error
}

// Invocation is one activation to run.
type Invocation struct {
	ActivationID  string // 32 hexadecimal digits
	TransactionID string
	Namespace     string // name, as __OW_NAMESPACE shows it
	NamespaceID   string
	Package       string // "" is the default package
	Action        string
	Version       string // of the action, "0.0.1"
	// Revision changes whenever code, kind, image, main, limits or default parameters of the action do: a warm process
	// may only serve the revision that it was initialised with. It is unique over all actions of the endpoint.
	Revision string

	// InjectProxy is set if Image contains no action proxy. The invoker then adds the endpoint's proxy to the container.
	InjectProxy bool
	Kind        string // exec.kind: "blackbox", "python:3", "python:3.11"
	Image       string // exec.image of a blackbox action
	Main        string // exec.main; empty means "main"
	Binary      bool   // Code returns a zip archive in base64, otherwise source text
	// Code returns exec.code as it was uploaded. It is only called for a cold start.
	Code func() (string, error)

	MemoryMB  int
	LogsMB    int // beyond which the log is cut; 0 is 10
	TimeoutMS int
	Python    string // absolute path or name of the interpreter of process invokers

	Env      map[string]string // further "env" of /init; nil is none
	Args     json.RawMessage   // "value" of /run: a JSON object, default parameters merged in
	APIKey   string            // "api_key" of /run: becomes __OW_API_KEY; a secret
	APIHost  string            // "https://127.0.0.1:port": becomes __OW_API_HOST
	Deadline time.Time         // when the activation must have ended; becomes __OW_DEADLINE in epoch milliseconds
	// Started, when set, is called once a worker has been found or made, before the action runs.
	Started func()
	// Extra is further environment for the process itself, such as REQUESTS_CA_BUNDLE with the endpoint's own authority.
	Extra map[string]string
}

// Status is how an activation ended; the words are OpenWhisk's response.status.
type Status string

// The statuses, in the order of OpenWhisk's response.statusCode 0 to 3.
const (
	Success          Status = "success"
	ApplicationError Status = "application error"      // the action returned {"error": ...}
	DeveloperError   Status = "action developer error" // /init failed, no JSON object, crash, time limit, memory limit
	InternalError    Status = "whisk internal error"
)

// Code is response.statusCode.
func (s Status) Code() int {
	switch s {
	case Success:
		return 0
	case ApplicationError:
		return 1
	case DeveloperError:
		return 2
	}
	return 3
}

// Outcome is what became of an activation.
type Outcome struct {
	Status Status
	Result json.RawMessage // response.result: a JSON object; {"error": "..."} unless Status is Success
	Size   int64           // bytes of the answer that Result was made of; 0 when there was none
	Logs   []string        // "2026-01-02T15:04:05.000000000Z stdout: text", in order, sentinels removed
	InitMS int64           // time of /init; 0 for a warm start
	RunMS  int64           // time of /run
	WaitMS int64           // time until a process or container was free or started, without /init
	Cold   bool
}
