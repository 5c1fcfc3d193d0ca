// Package invoker runs the activations of the local endpoint in processes or in containers.
//
// It chooses between the two kinds, manages the pool of warm workers and its queue, and implements OpenWhisk's action
// protocol including the outcomes of activations. It does not serve clients or store entities, and it does not start
// processes or containers itself (packages process and container).
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

// The kinds of invoker, as accepted by 'local start --invoker'.
const (
	Process = "process"
	Docker  = "docker"
	Auto    = "auto" // Docker if a container engine responds, otherwise Process
)

// Options configures an Invoker. The zero value of a field means its default.
type Options struct {
	Kind     string        // Process, Docker or Auto; default Process
	Dir      string        // directory that only the invoker uses
	Python   string        // interpreter for actions that do not specify one; default "python3"
	MemoryMB int           // maximum sum of the memory limits of all warm and running workers; default DefaultMemoryMB
	IdleFor  time.Duration // how long an idle worker stays warm; default 5 minutes
	// Forward lists the ports of the endpoint, such as the S3 store's, that containers reach on their own loopback
	// interface. The endpoint must listen on these ports at BridgeAddress too.
	Forward []int
	// PauseAfter is how long an idle container runs before it is paused; default 5 seconds.
	PauseAfter time.Duration
	// ReserveDisk reserves disk space in Dir, to which processes unpack their code. Containers do not use it, because they
	// use the engine's disk.
	ReserveDisk ReserveFunc
}

// Invoker runs activations. It implements invoke.Invoker.
type Invoker struct {
	kind    string
	starter sandbox.Starter
	reserve ReserveFunc
	pool    *pool
	ctx     context.Context // canceled by Close
	cancel  context.CancelFunc
	running sync.WaitGroup
	bridge  func(context.Context) (string, error) // nil for processes
}

var _ invoke.Invoker = (*Invoker)(nil)

// New returns an invoker. If an earlier invoker with the same Dir was killed, New kills the processes and containers
// that it left behind and removes their files. It returns an error if Kind is Docker and no usable engine is found.
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
		v.kind, v.starter, v.reserve = Process, s, o.ReserveDisk
	}
	v.ctx, v.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return v, nil
}

// DefaultMemoryMB returns three quarters of this machine's memory, in MB.
func DefaultMemoryMB() int { return process.MachineMemoryMB() / 4 * 3 }

// Kind returns Process or Docker.
func (v *Invoker) Kind() string { return v.kind }

// BridgeAddress returns the address of this machine on the engine's bridge. A listener on this address is reachable
// from containers but not from the network. BridgeAddress returns "" if no such listener is needed: for processes, and
// for engines whose containers can reach this machine's loopback interface.
func (v *Invoker) BridgeAddress(ctx context.Context) (string, error) {
	if v.bridge == nil {
		return "", nil
	}
	return v.bridge(ctx)
}

// Close kills all workers and removes their files. It returns when this is done or when ctx ends.
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

// keyOf returns the key of the workers that can run an invocation.
func keyOf(inv invoke.Invocation) key {
	env, _ := json.Marshal(inv.ExtraEnv)
	return key{revision: inv.Revision, python: inv.Python, image: inv.Image, env: string(env), memoryMB: inv.MemoryMB}
}
