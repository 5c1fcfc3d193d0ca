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

// killed is the exit status of a process that was killed: 128 + SIGKILL.
const killed = 137

// timeToRemove is how long the engine may take to remove a container.
const timeToRemove = 30 * time.Second

// box is one container. It implements sandbox.Sandbox.
type box struct {
	engine     *engine.Engine
	id         string
	address    string // of the proxy, on loopback
	pid        int    // of its first process on this machine; 0 when the engine is elsewhere, as in a virtual machine
	meter      sandbox.Meter
	logs       *sandbox.Logs
	pauseAfter time.Duration
	attached   types.HijackedResponse // standard input, output and error
	forwarding types.HijackedResponse
	stopWait   context.CancelFunc // nil until wait runs, which closes done
	done       chan struct{}
	closing    sync.Once

	mu     sync.Mutex
	timer  *time.Timer // of the next pause
	paused bool
	closed bool
	memory bool // ended for lack of it
}

// Dial connects to the proxy.
func (b *box) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", b.address)
}

// Logs reads the output.
func (b *box) Logs() *sandbox.Logs { return b.logs }

// Wake lets a paused container go on.
func (b *box) Wake(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil // one that has gone off waits for the lock, and must see that it is late
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

// Rest pauses the container after a while: between activations an action has no time on the processor.
func (b *box) Rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(b.pauseAfter, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.timer != timer || b.closed { // woken meanwhile
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeToRemove)
		defer cancel()
		b.paused = b.engine.ContainerPause(ctx, b.id) == nil
	})
	b.timer = timer
}

// Wanted returns the processor time that the action's processes have used or queued for.
func (b *box) Wanted() (time.Duration, bool) {
	if b.pid == 0 {
		return 0, false
	}
	return b.meter.Read(append(sandbox.Descendants(b.pid), b.pid))
}

// Done is closed when the container has ended.
func (b *box) Done() <-chan struct{} { return b.done }

// OutOfMemory reports whether the kernel has ended the action.
func (b *box) OutOfMemory() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.memory
}

// wait notes how the container ended.
func (b *box) wait(ended <-chan container.WaitResponse, failed <-chan error) {
	defer close(b.done)
	select {
	case <-failed: //nolint:errcheck // whatever it is, the end is not known
		return
	case r := <-ended:
		ctx, cancel := context.WithTimeout(context.Background(), timeToRemove)
		defer cancel()
		info, err := b.engine.ContainerInspect(ctx, b.id)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.memory = !b.closed && (r.StatusCode == killed || err == nil && info.State != nil && info.State.OOMKilled)
	}
}

// Close removes the container, running or not.
func (b *box) Close() {
	b.closing.Do(func() {
		b.mu.Lock()
		b.closed = true
		if b.timer != nil {
			b.timer.Stop()
		}
		b.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), timeToRemove)
		defer cancel()
		// An engine that fails here finds the container again by its label.
		_ = b.engine.ContainerRemove(ctx, b.id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		for _, s := range []types.HijackedResponse{b.attached, b.forwarding} {
			if s.Conn != nil {
				s.Close()
			}
		}
		if b.stopWait != nil {
			b.stopWait() // an engine may not tell the end of a container that never started
			<-b.done
		}
	})
}
