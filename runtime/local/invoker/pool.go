package invoker

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// key identifies the activations that may use the same sandbox, one after another.
type key struct {
	revision, python, image string
	env                     string // ExtraEnv as JSON
	memoryMB                int
}

// worker is a sandbox and its reservation in the pool.
type worker struct {
	key     key
	sandbox sandbox.Sandbox // nil until the sandbox is started
	client  *http.Client
	expiry  *time.Timer // closes the idle worker
	usage   usage       // CPU usage of the current activation
}

// ticket is an activation that waits for a worker.
type ticket struct {
	key   key
	ready chan *worker
}

// pool assigns workers to activations, first come, first served. The memory limits of all workers, busy and idle, must
// fit in budget MB. At most as many workers as there are processors may compute at the same time: beyond that number,
// an activation starts only while other workers wait for something other than a CPU. Idle workers stay warm for
// idleFor, unless their memory is needed.
type pool struct {
	processors, budget int
	idleFor            time.Duration

	mu          sync.Mutex
	workers     int // number of workers, busy and idle
	usedMB      int
	busy        map[*worker]struct{}
	measurement *time.Timer // next measurement of the busy workers; nil if none is scheduled
	idle        *list.List  // of *worker, longest idle first
	queue       *list.List  // of *ticket
	closed      bool
	closing     sync.WaitGroup // sandboxes that are being closed, and the measurement
}

func newPool(processors, budget int, idleFor time.Duration) *pool {
	return &pool{processors: processors, budget: budget, idleFor: idleFor, busy: map[*worker]struct{}{}, idle: list.New(), queue: list.New()}
}

// acquire waits for a worker with key k. It returns a warm worker, or a new worker whose sandbox the caller must start.
func (p *pool) acquire(ctx context.Context, k key) (*worker, error) {
	t := &ticket{key: k, ready: make(chan *worker, 1)}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, context.Canceled
	}
	e := p.queue.PushBack(t)
	p.dispatch()
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
	case w := <-t.ready: // dispatch has assigned a worker in the meantime
		p.release(w, w.sandbox != nil)
	default:
	}
	return nil, ctx.Err()
}

// dispatch assigns workers to the waiting activations, in order, until processors or memory are used up. p.mu is held.
func (p *pool) dispatch() {
	for e := p.queue.Front(); e != nil; e = p.queue.Front() {
		if computing(p.usages(), time.Now()) >= p.processors {
			p.scheduleMeasurement()
			return
		}
		t := e.Value.(*ticket)
		w := p.takeWarm(t.key)
		for w == nil && p.workers > 0 && p.usedMB+t.key.memoryMB > p.budget {
			oldest := p.idle.Front()
			if oldest == nil {
				return
			}
			p.discard(p.idle.Remove(oldest).(*worker))
		}
		if w == nil {
			w = &worker{key: t.key}
			p.workers++
			p.usedMB += t.key.memoryMB
		}
		w.usage = usage{begun: time.Now()}
		p.busy[w] = struct{}{}
		p.queue.Remove(e)
		t.ready <- w
	}
}

// takeWarm removes the most recently used worker with key k from the idle list and returns it. It returns nil if there
// is none. p.mu is held.
func (p *pool) takeWarm(k key) *worker {
	for e := p.idle.Back(); e != nil; {
		w, previous := e.Value.(*worker), e.Prev()
		if w.key == k {
			p.idle.Remove(e)
			select {
			case <-w.sandbox.Done(): // the sandbox has ended while it was idle
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

// release returns a worker to the pool. If the worker is not reusable, release closes it.
func (p *pool) release(w *worker, reusable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, w)
	if !reusable || p.closed {
		p.discard(w)
	} else {
		w.sandbox.Idle()
		e := p.idle.PushBack(w)
		w.expiry = time.AfterFunc(p.idleFor, func() { p.expire(e, w) })
	}
	p.dispatch()
}

// expire closes a worker that has been idle for too long. It does nothing if the worker is no longer idle.
func (p *pool) expire(e *list.Element, w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := p.idle.Front(); i != nil; i = i.Next() {
		if i == e {
			p.idle.Remove(e)
			p.discard(w)
			p.dispatch()
			return
		}
	}
}

// discard removes a worker from the pool and closes its sandbox in the background. p.mu is held.
func (p *pool) discard(w *worker) {
	p.workers--
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

// close starts closing the idle workers. A busy worker is closed when it is released. To wait until all sandboxes are
// closed, the caller waits for p.closing.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.measurement != nil && p.measurement.Stop() {
		p.closing.Done()
	}
	for e := p.idle.Front(); e != nil; e = p.idle.Front() {
		p.discard(p.idle.Remove(e).(*worker))
	}
	p.mu.Unlock()
}
