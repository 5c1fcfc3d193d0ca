package transport

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// cutInterval is the minimum time between two reductions of a limit. It prevents the requests that are in flight during
// a reduction, which all fail with 429, from reducing the limit again.
const cutInterval = time.Second

// hosts holds the state of each host.
type hosts struct {
	mu  sync.Mutex
	max int
	all map[string]*host
}

// host is the state of one host.
type host struct {
	notBefore time.Time       // no request is sent before this time
	limit     int             // maximum of running
	running   int             // number of requests in flight
	successes int             // successful responses since the limit last changed
	lastCut   time.Time       // when limit was last reduced
	waiting   []chan struct{} // in order of arrival; closed when a slot is handed over
}

func newHosts(max int) *hosts { return &hosts{max: max, all: map[string]*host{}} }

// get returns the state of a host.
func (h *hosts) get(name string) *host {
	x := h.all[name]
	if x == nil {
		x = &host{limit: h.max}
		h.all[name] = x
	}
	return x
}

// acquire waits for a free slot among the requests in flight, and then until the time that the host asked for.
func (h *hosts) acquire(ctx context.Context, name string) error {
	h.mu.Lock()
	x := h.get(name)
	if x.running < x.limit {
		x.running++
		h.mu.Unlock()
	} else {
		slot := make(chan struct{})
		x.waiting = append(x.waiting, slot)
		h.mu.Unlock()
		select {
		case <-slot:
		case <-ctx.Done():
			h.mu.Lock()
			if i := slices.Index(x.waiting, slot); i >= 0 {
				x.waiting = slices.Delete(x.waiting, i, i+1)
			} else {
				h.release(x) // the slot was handed over at the same moment
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

// finish frees the slot of a request, and adapts the limit of the host to the status of the response, 0 if there was
// none.
func (h *hosts) finish(name string, status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.get(name)
	now := time.Now()
	switch {
	case status == http.StatusTooManyRequests && now.Sub(x.lastCut) > cutInterval:
		x.limit, x.successes, x.lastCut = max(1, min(x.limit, x.running)/2), 0, now // half the number of requests that was too high
	case status > 0 && status < 400 && x.limit < h.max:
		if x.successes++; x.successes >= x.limit {
			x.limit, x.successes = x.limit+1, 0
		}
	}
	h.release(x)
}

// release frees a slot and hands free slots to waiting requests.
func (h *hosts) release(x *host) {
	x.running--
	for x.running < x.limit && len(x.waiting) > 0 {
		close(x.waiting[0])
		x.waiting = x.waiting[1:]
		x.running++
	}
}

// slowDown delays all requests to a host that throttles.
func (h *hosts) slowDown(name string, throttled bool, wait time.Duration) {
	if !throttled {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.get(name)
	if t := time.Now().Add(wait); t.After(x.notBefore) {
		x.notBefore = t
	}
}

// limiter sends a request when its host has a free slot.
type limiter struct {
	next  http.RoundTripper
	hosts *hosts
}

func (g *limiter) RoundTrip(req *http.Request) (*http.Response, error) {
	name := hostPort(req.URL)
	if err := g.hosts.acquire(req.Context(), name); err != nil {
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
	g.hosts.finish(name, status)
	return resp, err
}
