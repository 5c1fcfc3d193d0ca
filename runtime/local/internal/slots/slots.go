// Package slots shares out the memory of the endpoint among requests that may need much of it.
//
// What may go in: who works when. What may not: what the work is.
package slots

import (
	"context"
	"errors"
	"time"
)

// How many requests work at a time with what may need much memory, and how long one waits for its turn.
const (
	places = 4
	wait   = 20 * time.Second
)

// ErrBusy is the error of a request that got no turn. The same request may go through in a second.
var ErrBusy = errors.New("too much to do at the moment")

// Pool are those of the requests of one service. One that has a place has sent to it.
type Pool chan struct{}

// New returns places that are free.
func New() Pool { return make(Pool, places) }

// Slot is a request's place among those that work with much memory: bodies, code, results and lists of them. It has the
// place while it works, never while it waits for its client or for an activation.
type Slot struct {
	places Pool
	taken  bool
}

// Turn returns that of a request, which has not been taken.
func (p Pool) Turn() *Slot { return &Slot{places: p} }

// Acquire waits for a place, unless the request has one: ErrBusy.
func (t *Slot) Acquire(ctx context.Context) error {
	if t.taken {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case t.places <- struct{}{}:
		t.taken = true
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return ErrBusy
}

// End gives the place back; nothing without one.
func (t *Slot) End() {
	if t.taken {
		<-t.places
		t.taken = false
	}
}
