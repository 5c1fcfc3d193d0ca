// Package background is for what an API of the endpoint goes on with after it has answered: activations and job runs.
//
// What may go in: when such work may begin, and how it ends with the endpoint. What may not: what is done in it.
package background

import (
	"context"
	"sync"
)

// Work is all that an API does in the background.
type Work struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // guards closed against work that begins
	closed  bool
	running sync.WaitGroup
}

// New returns work that ends with Close.
func New() *Work {
	w := &Work{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// Context is that of the work: it outlives the request that begins it.
func (w *Work) Context() context.Context { return w.ctx }

// Begin announces a piece of work, which calls end when it has ended. It is false where the endpoint is closing: nothing
// more begins then.
func (w *Work) Begin() (end func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, false
	}
	w.running.Add(1)
	return w.running.Done, true
}

// Close waits until ctx ends for what is running, then ends its context, and returns when all has ended.
func (w *Work) Close(ctx context.Context) {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	w.cancel()
	<-done
}
