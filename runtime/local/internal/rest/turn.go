package rest

import (
	"context"
	"net/http"
	"time"
)

// How many requests work at a time with what may need much memory, and how long one waits for its turn.
const (
	turns    = 4
	turnWait = 20 * time.Second
)

// turn is a request's place among those that work with much memory: bodies, code, results and lists of them. It has the
// place while it works, never while it waits for its client or for an activation.
type turn struct {
	places chan struct{}
	taken  bool
}

// take waits for a place, unless the request has one.
func (t *turn) take(ctx context.Context) error {
	if t.taken {
		return nil
	}
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case t.places <- struct{}{}:
		t.taken = true
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return &problem{status: http.StatusServiceUnavailable, text: "The endpoint has too much to do at the moment.", again: true}
}

// end returns the place back; nothing without one.
func (t *turn) end() {
	if t.taken {
		<-t.places
		t.taken = false
	}
}
