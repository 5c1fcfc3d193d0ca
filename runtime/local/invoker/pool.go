package invoker

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// key says which activations may share a sandbox, one after another.
type key struct {
	revision, python, image, extra string
	memoryMB                       int
}

// worker is a place in the pool and, once started, the sandbox in it.
type worker struct {
	key     key
	sandbox sandbox.Sandbox // nil until it is started
	client  *http.Client
	expiry  *time.Timer
	usage   usage // of the activation that it runs
}

// ticket is an activation that waits for a worker.
type ticket struct {
	key   key
	ready chan *worker
}

// pool decides who runs, first come, first served: as many as the limits of the workers, busy and idle, fit into budget MB,
// but more than there are processors only beside such as wait. Idle workers stay warm for idleFor, unless their memory is
// needed.
type pool struct {
	processors, budget int
	idleFor            time.Duration

	mu      sync.Mutex
	used    int // workers, busy and idle
	usedMB  int
	busy    map[*worker]struct{}
	look    *time.Timer // of the next look at those that are busy; nil when nobody waits for a processor
	idle    *list.List  // of *worker, longest idle first
	queue   *list.List  // of *ticket
	closed  bool
	closing sync.WaitGroup // sandboxes that are being closed, and the look
}

func newPool(processors, budget int, idleFor time.Duration) *pool {
	return &pool{processors: processors, budget: budget, idleFor: idleFor, busy: map[*worker]struct{}{}, idle: list.New(), queue: list.New()}
}

// acquire waits for a worker of key k: a warm one, or an empty one whose sandbox is to be started.
func (p *pool) acquire(ctx context.Context, k key) (*worker, error) {
	t := &ticket{key: k, ready: make(chan *worker, 1)}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, context.Canceled
	}
	e := p.queue.PushBack(t)
	p.serve()
	p.mu.Unlock()
	select {
	case w := <-t.ready:
		return w, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.queue.Remove(e)
	p.mu.Unlock()
	select {
	case w := <-t.ready: // served in the meantime
		p.release(w, w.sandbox != nil)
	default:
	}
	return nil, ctx.Err()
}

// serve gives workers to those who wait, in order, as far as they go. p.mu is held.
func (p *pool) serve() {
	for e := p.queue.Front(); e != nil; e = p.queue.Front() {
		if computing(p.usages(), time.Now()) >= p.processors {
			p.lookLater()
			return
		}
		t := e.Value.(*ticket)
		w := p.warm(t.key)
		for w == nil && p.used > 0 && p.usedMB+t.key.memoryMB > p.budget {
			oldest := p.idle.Front()
			if oldest == nil {
				return
			}
			p.discard(p.idle.Remove(oldest).(*worker))
		}
		if w == nil {
			w = &worker{key: t.key}
			p.used++
			p.usedMB += t.key.memoryMB
		}
		w.usage = usage{begun: time.Now()}
		p.busy[w] = struct{}{}
		p.queue.Remove(e)
		t.ready <- w
	}
}

// warm takes the worker of key k that was used last. p.mu is held.
func (p *pool) warm(k key) *worker {
	for e := p.idle.Back(); e != nil; {
		w, previous := e.Value.(*worker), e.Prev()
		if w.key == k {
			p.idle.Remove(e)
			select {
			case <-w.sandbox.Done(): // it has died in its sleep
				p.discard(w)
			default:
				w.expiry.Stop()
				return w
			}
		}
		e = previous
	}
	return nil
}

// release gives a worker back. One that is not good any more is closed.
func (p *pool) release(w *worker, good bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, w)
	if !good || p.closed {
		p.discard(w)
	} else {
		w.sandbox.Idle()
		e := p.idle.PushBack(w)
		w.expiry = time.AfterFunc(p.idleFor, func() { p.expire(e, w) })
	}
	p.serve()
}

func (p *pool) expire(e *list.Element, w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := p.idle.Front(); i != nil; i = i.Next() {
		if i == e {
			p.idle.Remove(e)
			p.discard(w)
			p.serve()
			return
		}
	}
}

// discard frees the place of a worker and closes its sandbox. p.mu is held.
func (p *pool) discard(w *worker) {
	p.used--
	p.usedMB -= w.key.memoryMB
	if w.expiry != nil {
		w.expiry.Stop()
	}
	if w.sandbox == nil {
		return
	}
	p.closing.Go(func() {
		w.client.CloseIdleConnections()
		w.sandbox.Close()
	})
}

// close ends the idle workers and waits for those that are being closed. Busy ones follow as they are released.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.look != nil && p.look.Stop() {
		p.closing.Done()
	}
	for e := p.idle.Front(); e != nil; e = p.idle.Front() {
		p.discard(p.idle.Remove(e).(*worker))
	}
	p.mu.Unlock()
}
