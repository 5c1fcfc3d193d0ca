// Package sandbox is what the pool of the invoker knows about the processes and containers that run actions.
//
// What may go in: the interface of a sandbox and the reading of its logs, which is the same for both kinds. What may
// not: how one is started, the protocol spoken with it, decisions about reuse.
package sandbox

import (
	"cmp"
	"context"
	"net"
	"time"
)

// Spec says what a sandbox is for. A sandbox serves one action revision.
type Spec struct {
	Python   string            // interpreter, for processes
	Image    string            // for containers
	MemoryMB int               // limit
	LogsMB   int               // limit of an activation's log; 0 is OpenWhisk's default, 10
	Env      map[string]string // further environment
	Bare     bool              // the image has no action proxy: it is to be given one
}

// LogLimit is how many bytes of log an activation may have.
func (s Spec) LogLimit() int { return cmp.Or(s.LogsMB, 10) << 20 }

// Starter starts sandboxes of one kind. Its methods may be called from several goroutines.
type Starter interface {
	// Start returns a sandbox whose proxy accepts connections. It kills what it has started when ctx ends before.
	Start(ctx context.Context, spec Spec) (Sandbox, error)
	// Close removes what the starter itself keeps; every sandbox is closed by then.
	Close(ctx context.Context) error
}

// Sandbox is a process or a container with an action proxy in it.
type Sandbox interface {
	// Dial connects to the proxy.
	Dial(ctx context.Context) (net.Conn, error)
	// Logs reads the output.
	Logs() *Logs
	// Wake makes a resting sandbox ready for a request.
	Wake(ctx context.Context) error
	// Rest says that no request comes for a while.
	Rest()
	// Wanted returns the processor time that everything in the sandbox has used or queued for so far; known is false
	// where that cannot be measured. It is not for several goroutines at once.
	Wanted() (d time.Duration, known bool)
	// Done is closed when the proxy has ended, by itself or by Close.
	Done() <-chan struct{}
	// OutOfMemory reports whether it ended because it had reached its memory limit.
	OutOfMemory() bool
	// Close kills everything in the sandbox and removes what belongs to it. It may be called more than once.
	Close()
}
