// Package slots limits how many requests use a large amount of memory at the same time.
//
// It only schedules requests. It does not contain the work that the requests do.
package slots

import (
	"context"
	"errors"
	"time"
)

// The number of slots in a pool, and how long a request waits for a slot.
const (
	poolSize = 4
	maxWait  = 20 * time.Second
)

// ErrBusy is the error of a request that did not get a slot in time. A retry may succeed within a second.
var ErrBusy = errors.New("the service is busy")

// Pool is the set of slots of one service: a channel that holds one value for each acquired slot.
type Pool chan struct{}

// New returns a pool whose slots are all free.
func New() Pool { return make(Pool, poolSize) }

// Slot allows one request to use a large amount of memory: for bodies, code, results and lists of them. The request
// holds the slot while it works, but never while it waits for its client or for an activation.
type Slot struct {
	pool     Pool
	acquired bool
}

// NewSlot returns a slot for a request. The slot is not acquired yet.
func (p Pool) NewSlot() *Slot { return &Slot{pool: p} }

// Acquire waits until a slot is free and acquires it. It does nothing if the request already holds its slot. It returns
// ErrBusy if no slot becomes free within 20 seconds or if ctx ends.
func (t *Slot) Acquire(ctx context.Context) error {
	if t.acquired {
		return nil
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case t.pool <- struct{}{}:
		t.acquired = true
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return ErrBusy
}

// Release frees the slot. It does nothing if the slot is not acquired.
func (t *Slot) Release() {
	if t.acquired {
		<-t.pool
		t.acquired = false
	}
}
