// Package invoker runs the activations of the local endpoint, in processes or in containers.
//
// What may go in: the choice between both kinds, the pool of warm workers with its queue, OpenWhisk's action protocol
// and its verdicts. What may not: HTTP for clients, entities, how a process or a container is made (process, container).
package invoker

import (
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/container"
	"fn-runtime/runtime/local/internal/process"
	"fn-runtime/runtime/local/internal/sandbox"
	"fn-runtime/runtime/local/invoke"
)

// The kinds of invoker, as 'local start --invoker' takes them.
const (
	Process = "process"
	Docker  = "docker"
	Auto    = "auto" // docker when an engine answers, else process
)

// Options says how activations run. The zero value of a field means its default.
type Options struct {
	Kind     string        // Process, Docker or Auto; Process
	Dir      string        // a folder of the invoker's own; whatever an earlier one left there is ended and removed
	Python   string        // interpreter for actions that name none, "python3"
	MemoryMB int           // sum of the limits of all warm and running workers, DefaultMemoryMB
	IdleFor  time.Duration // how long a worker stays warm, 5 minutes
	// Forward lists the ports on the endpoint's loopback, such as the S3 store's, that containers must find on their own
	// loopback. The endpoint also listens with them on BridgeAddress.
	Forward []int
	// PauseAfter is how long an idle container keeps running before it is paused, 5 seconds.
	PauseAfter time.Duration
	// Room is the disk of Dir, where processes have their code; nil is one without end. Containers have the engine's.
	Room Room
}

// Invoker runs activations. It implements invoke.Invoker.
type Invoker struct {
	kind    string
	starter sandbox.Starter
	room    Room
	pool    *pool
	ctx     context.Context // ends at Close
	cancel  context.CancelFunc
	running sync.WaitGroup
	bridge  func(context.Context) (string, error)
}

var _ invoke.Invoker = (*Invoker)(nil)

// New ends what an earlier invoker with the same Dir left behind and makes a new one.
func New(ctx context.Context, o Options) (*Invoker, error) {
	if o.MemoryMB <= 0 {
		o.MemoryMB = DefaultMemoryMB()
	}
	if o.IdleFor <= 0 {
		o.IdleFor = 5 * time.Minute
	}
	v := &Invoker{kind: o.Kind, pool: newPool(runtime.NumCPU(), o.MemoryMB, o.IdleFor)}
	if o.Kind == Docker || o.Kind == Auto {
		c, err := container.New(ctx, container.Options{Dir: o.Dir, Forward: o.Forward, PauseAfter: o.PauseAfter})
		switch {
		case err == nil:
			v.kind, v.starter, v.bridge = Docker, c, c.BridgeAddress
		case o.Kind == Docker:
			return nil, err
		}
	}
	if v.starter == nil {
		if o.Kind != "" && o.Kind != Process && o.Kind != Auto {
			return nil, fault.New(fault.Invalid,
				i18n.M("Unknown invoker '{{.Kind}}'.", "Kind", o.Kind), i18n.M("Specify 'process', 'docker' or 'auto'."))
		}
		s, err := process.New(process.Options{Dir: o.Dir, Python: o.Python})
		if err != nil {
			return nil, err
		}
		v.kind, v.starter, v.room = Process, s, o.Room
	}
	v.ctx, v.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return v, nil
}

// DefaultMemoryMB is three quarters of this machine's memory.
func DefaultMemoryMB() int { return process.MachineMemoryMB() / 4 * 3 }

// Kind is Process or Docker.
func (v *Invoker) Kind() string { return v.kind }

// BridgeAddress is the address of this machine on the engine's bridge: containers reach a listener there, and the
// network does not. It is "" where nobody needs it: processes, and engines whose containers reach the loopback.
func (v *Invoker) BridgeAddress(ctx context.Context) (string, error) {
	if v.bridge == nil {
		return "", nil
	}
	return v.bridge(ctx)
}

// Close kills what runs and leaves nothing behind. It returns when all is gone or ctx ends.
func (v *Invoker) Close(ctx context.Context) error {
	v.cancel()
	v.pool.close()
	done := make(chan struct{})
	go func() {
		v.running.Wait()
		v.pool.closing.Wait()
		close(done)
	}()
	select {
	case <-done:
		return v.starter.Close(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func keyOf(inv invoke.Invocation) key {
	extra, _ := json.Marshal(inv.Extra)
	return key{revision: inv.Revision, python: inv.Python, image: inv.Image, extra: string(extra), memoryMB: inv.MemoryMB}
}
