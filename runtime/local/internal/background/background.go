// Package background tracks the tasks that an API of the endpoint continues after it has sent its response: activations
// and job runs.
//
// It decides when a task may start and how tasks end when the endpoint stops. It does not contain the tasks themselves.
package background

import (
	"context"
	"sync"
)

// Tasks is the set of background tasks of one API.
type Tasks struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // guards closed, and running against tasks that begin during Close
	closed  bool
	running sync.WaitGroup
}

// New returns an empty set of tasks. The caller must call Close.
func New() *Tasks {
	t := &Tasks{}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// Context returns the context of the tasks. It outlives the request that starts a task.
func (t *Tasks) Context() context.Context { return t.ctx }

// Begin registers a task, which must call end when it is done. ok is false if Close has been called; the caller must
// not start the task then.
func (t *Tasks) Begin() (end func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, false
	}
	t.running.Add(1)
	return t.running.Done, true
}

// Close waits for the running tasks until ctx ends, then cancels their context. It returns when all tasks have ended.
func (t *Tasks) Close(ctx context.Context) {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	done := make(chan struct{})
	go func() {
		t.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	t.cancel()
	<-done
}
