package container

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/local/internal/sandbox"
)

// exitKilled is the exit status of a process that was killed: 128 + SIGKILL.
const exitKilled = 137

// engineTimeout is how long the engine may take to pause, inspect or remove a container.
const engineTimeout = 30 * time.Second

// box is one container. It implements sandbox.Sandbox.
type box struct {
	engine     *engine.Engine
	id         string
	address    string // host and port of the proxy: on loopback, or the container's own address
	pid        int    // first process of the container; 0 if the engine does not run on this machine but in a virtual machine
	meter      sandbox.Meter
	logs       *sandbox.Logs
	pauseAfter time.Duration
	attached   types.HijackedResponse // stdin, stdout and stderr of the action
	forwarding types.HijackedResponse // stdout and stderr of the forwarder
	stopWait   context.CancelFunc     // stops wait; nil until wait runs
	done       chan struct{}          // closed by wait
	closing    sync.Once

	mu          sync.Mutex
	timer       *time.Timer // for the next pause
	paused      bool
	closed      bool
	outOfMemory bool // the container ended because it reached its memory limit
}

// Dial connects to the proxy.
func (b *box) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", b.address)
}

// Logs returns the output of the container.
func (b *box) Logs() *sandbox.Logs { return b.logs }

// Wake resumes a paused container.
func (b *box) Wake(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil // if the timer has fired, its function waits for the lock and must detect that it is outdated
	}
	if !b.paused {
		return nil
	}
	b.paused = false
	if err := b.engine.ContainerUnpause(ctx, b.id); err != nil {
		return unavailable(err)
	}
	return nil
}

// Idle pauses the container after pauseAfter. A paused action gets no CPU time.
func (b *box) Idle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(b.pauseAfter, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.timer != timer || b.closed { // Wake was called in the meantime
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
		defer cancel()
		b.paused = b.engine.ContainerPause(ctx, b.id) == nil
	})
	b.timer = timer
}

// CPUDemand returns the CPU time that the action's processes have used or have waited for.
func (b *box) CPUDemand() (time.Duration, bool) {
	if b.pid == 0 {
		return 0, false
	}
	return b.meter.Read(append(sandbox.Descendants(b.pid), b.pid))
}

// Done returns a channel that is closed when the container has ended.
func (b *box) Done() <-chan struct{} { return b.done }

// OutOfMemory reports whether the kernel killed the action because it reached its memory limit.
func (b *box) OutOfMemory() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outOfMemory
}

// wait waits until the container has ended and records whether it ran out of memory.
func (b *box) wait(ended <-chan container.WaitResponse, failed <-chan error) {
	defer close(b.done)
	select {
	case <-failed: //nolint:errcheck // with any error, the way the container ended is unknown
		return
	case r := <-ended:
		ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
		defer cancel()
		info, err := b.engine.ContainerInspect(ctx, b.id)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.outOfMemory = !b.closed && (r.StatusCode == exitKilled || err == nil && info.State != nil && info.State.OOMKilled)
	}
}

// Close removes the container, even if it is running.
func (b *box) Close() {
	b.closing.Do(func() {
		b.mu.Lock()
		b.closed = true
		if b.timer != nil {
			b.timer.Stop()
		}
		b.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
		defer cancel()
		// If this fails, Starter.Close or the next New finds the container by its label and removes it.
		_ = b.engine.ContainerRemove(ctx, b.id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		for _, s := range []types.HijackedResponse{b.attached, b.forwarding} {
			if s.Conn != nil {
				s.Close()
			}
		}
		if b.stopWait != nil {
			b.stopWait() // the engine may not report the end of a container that never started
			<-b.done
		}
	})
}
