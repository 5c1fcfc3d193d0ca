// Package invoke defines the interface between the local endpoint and its invokers: the invocation of an action and its
// outcome.
//
// It contains types only and no behavior. Both the endpoint and the invokers import it.
package invoke

import (
	"context"
	"encoding/json"
	"time"
)

// Invoker runs actions. It manages their processes or containers: how many there are, how long they stay warm and when
// they are evicted. Its methods are safe for concurrent use.
type Invoker interface {
	// Run runs one activation to its end. A failure of the action is reported in the Outcome. An error means that the
	// invoker itself failed; the endpoint then records the status "whisk internal error" with the error. If ctx ends, Run
	// kills the activation.
	Run(ctx context.Context, inv Invocation) (Outcome, error)
	// Close kills running activations and leaves no process or container behind.
	Close(ctx context.Context) error
}

// Invocation is one activation to run.
type Invocation struct {
	ActivationID  string // 32 hexadecimal digits
	TransactionID string
	Namespace     string // name, the value of __OW_NAMESPACE
	NamespaceID   string
	Package       string // empty for the default package
	Action        string
	Version       string // of the action, such as "0.0.1"
	// Revision changes whenever the code, kind, image, main function, limits or default parameters of the action change. A
	// warm process serves only the revision that it was initialized with. Revisions are unique across all actions of the
	// endpoint.
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
	LogsMB    int // limit of the log; 0 means 10
	TimeoutMS int
	Python    string // absolute path or name of the interpreter, for the process invoker

	Env      map[string]string // "env" of /init; may be nil
	Args     json.RawMessage   // "value" of /run: a JSON object that includes the default parameters
	APIKey   string            // "api_key" of /run, the value of __OW_API_KEY; a secret
	APIHost  string            // "https://127.0.0.1:port", the value of __OW_API_HOST
	Deadline time.Time         // time at which the activation must have ended, the value of __OW_DEADLINE in epoch milliseconds
	// Started is called when a warm or new worker is ready, before the action runs. It may be nil.
	Started func()
	// ExtraEnv is added to the environment of the process or container, for example REQUESTS_CA_BUNDLE with the endpoint's
	// CA.
	ExtraEnv map[string]string
}

// Status is the result category of an activation: a value of OpenWhisk's response.status.
type Status string

// The statuses, in the order of OpenWhisk's response.statusCode 0 to 3.
const (
	Success          Status = "success"
	ApplicationError Status = "application error"      // the action returned {"error": ...}
	DeveloperError   Status = "action developer error" // /init failed, no JSON object, crash, time limit, memory limit
	InternalError    Status = "whisk internal error"
)

// Code returns the response.statusCode of OpenWhisk for the status.
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

// Outcome is the result of an activation.
type Outcome struct {
	Status Status
	Result json.RawMessage // response.result: a JSON object; {"error": "..."} unless Status is Success
	Size   int64           // size of the action's response, in bytes; 0 if there was none
	Logs   []string        // "2026-01-02T15:04:05.000000000Z stdout: text", in order, without sentinels
	InitMS int64           // duration of /init; 0 for a warm start
	RunMS  int64           // duration of /run
	WaitMS int64           // time until a process or container was available or started, without /init
	Cold   bool            // the activation was a cold start
}
