package transport

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// cutInterval is how long a lowered limit is given to show before another 429 lowers it again: the requests that are
// in flight at the time all come back with 429.
const cutInterval = time.Second

// hosts is what is known about each host: until when to leave it alone, and how many requests it bears at once.
type hosts struct {
	mu  sync.Mutex
	max int
	all map[string]*host
}

type host struct {
	notBefore time.Time
	limit     int
	running   int
	good      int // answers since the limit last changed
	lastCut   time.Time
	waiting   []chan struct{} // first come, first served; closed when a place is handed over
}

func newHosts(max int) *hosts { return &hosts{max: max, all: map[string]*host{}} }

func (h *hosts) of(name string) *host {
	x := h.all[name]
	if x == nil {
		x = &host{limit: h.max}
		h.all[name] = x
	}
	return x
}

// enter waits for a place among the requests in flight, and for the time that the host asked for.
func (h *hosts) enter(ctx context.Context, name string) error {
	h.mu.Lock()
	x := h.of(name)
	if x.running < x.limit {
		x.running++
		h.mu.Unlock()
	} else {
		turn := make(chan struct{})
		x.waiting = append(x.waiting, turn)
		h.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			h.mu.Lock()
			if i := slices.Index(x.waiting, turn); i >= 0 {
				x.waiting = slices.Delete(x.waiting, i, i+1)
			} else {
				h.release(x) // the place was handed over at the same moment
			}
			h.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	for {
		h.mu.Lock()
		wait := time.Until(x.notBefore)
		h.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			h.mu.Lock()
			h.release(x)
			h.mu.Unlock()
			return context.Cause(ctx)
		}
	}
}

func (h *hosts) leave(name string, status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.of(name)
	now := time.Now()
	switch {
	case status == http.StatusTooManyRequests && now.Sub(x.lastCut) > cutInterval:
		x.limit, x.good, x.lastCut = max(1, min(x.limit, x.running)/2), 0, now // half of what it did not bear
	case status > 0 && status < 400 && x.limit < h.max:
		if x.good++; x.good >= x.limit {
			x.limit, x.good = x.limit+1, 0
		}
	}
	h.release(x)
}

// release frees a place and hands out those that are free.
func (h *hosts) release(x *host) {
	x.running--
	for x.running < x.limit && len(x.waiting) > 0 {
		close(x.waiting[0])
		x.waiting = x.waiting[1:]
		x.running++
	}
}

// slowDown keeps everybody away from a host that asked for it.
func (h *hosts) slowDown(name string, throttled bool, wait time.Duration) {
	if !throttled {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.of(name)
	if t := time.Now().Add(wait); t.After(x.notBefore) {
		x.notBefore = t
	}
}

// gate lets a request through when its host has room for it.
type gate struct {
	next  http.RoundTripper
	hosts *hosts
}

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	name := hostPort(req.URL)
	if err := g.hosts.enter(req.Context(), name); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	resp, err := g.next.RoundTrip(req)
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	g.hosts.leave(name, status)
	return resp, err
}
