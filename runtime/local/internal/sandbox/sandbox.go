// Package sandbox defines the interface between the invoker's pool and the processes and containers that run actions.
//
// It also contains the code that both kinds of sandbox share: reading logs and measuring CPU demand. It does not start
// sandboxes, implement the action protocol or decide when a sandbox is reused.
package sandbox

import (
	"cmp"
	"context"
	"net"
	"time"
)

// Spec describes a sandbox. A sandbox serves one action revision.
type Spec struct {
	Python      string            // interpreter, for processes
	Image       string            // for containers
	MemoryMB    int               // memory limit
	LogsMB      int               // limit of an activation's log; 0 means OpenWhisk's default, 10 MB
	Env         map[string]string // additional environment variables
	InjectProxy bool              // the image contains no action proxy, so the starter adds one
}

// LogLimit returns the limit of an activation's log, in bytes.
func (s Spec) LogLimit() int { return cmp.Or(s.LogsMB, 10) << 20 }

// Starter starts sandboxes of one kind. Its methods are safe for concurrent use.
type Starter interface {
	// Start returns a sandbox whose proxy accepts connections. If ctx ends before that, Start kills the new sandbox.
	Start(ctx context.Context, spec Spec) (Sandbox, error)
	// Close removes the starter's own resources. The caller must close all sandboxes first.
	Close(ctx context.Context) error
}

// Sandbox is a process or a container that runs an action proxy.
type Sandbox interface {
	// Dial connects to the proxy.
	Dial(ctx context.Context) (net.Conn, error)
	// Logs returns the output of the sandbox.
	Logs() *Logs
	// Wake prepares an idle sandbox for a request.
	Wake(ctx context.Context) error
	// Idle informs the sandbox that no request is expected for a while.
	Idle()
	// CPUDemand returns the CPU time that all processes of the sandbox have used or have waited for while they were
	// runnable. known is false if the demand cannot be measured. CPUDemand must not be called concurrently.
	CPUDemand() (d time.Duration, known bool)
	// Done returns a channel that is closed when the proxy has ended, on its own or because of Close.
	Done() <-chan struct{}
	// OutOfMemory reports whether the sandbox ended because it reached its memory limit.
	OutOfMemory() bool
	// Close kills all processes of the sandbox and removes its files. Further calls do nothing.
	Close()
}
