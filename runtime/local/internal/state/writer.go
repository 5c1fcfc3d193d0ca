package state

import (
	"errors"
	"sync"

	"go.etcd.io/bbolt"
)

// writer commits the changes of several goroutines in one transaction, which needs only one fsync. Unlike Batch of
// bbolt, it does not delay a change to wait for further ones.
type writer struct {
	update func(fn func(*bbolt.Tx) error) error
	jobs   chan job
	done   chan struct{}
	mu     sync.RWMutex // guards closed, and closing jobs while a job is being sent
	closed bool
}

type job struct {
	fn     func(*bbolt.Tx) error
	result chan error
}

var errClosed = errors.New("the state is closed")

// maxBatch is the maximum number of jobs in one transaction.
const maxBatch = 256

func startWriter(update func(func(*bbolt.Tx) error) error) *writer {
	w := &writer{update: update, jobs: make(chan job, maxBatch), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for first := range w.jobs {
			w.commit(w.batch(first))
		}
	}()
	return w
}

// batch returns the first job and all jobs that are queued behind it now.
func (w *writer) batch(first job) []job {
	jobs := []job{first}
	for len(jobs) < maxBatch {
		select {
		case j, ok := <-w.jobs:
			if !ok {
				return jobs
			}
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commit runs the jobs in one transaction. If a job fails, it must not undo the others, so each job then runs in its
// own transaction.
func (w *writer) commit(jobs []job) {
	if len(jobs) > 1 {
		err := w.update(func(tx *bbolt.Tx) error {
			for _, j := range jobs {
				if err := j.fn(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			for _, j := range jobs {
				j.result <- nil
			}
			return
		}
	}
	for _, j := range jobs {
		j.result <- w.update(j.fn)
	}
}

// do runs fn in a transaction and returns when the transaction is on disk. fn may run twice, so it must not accumulate
// results in variables outside of fn.
func (w *writer) do(fn func(*bbolt.Tx) error) error {
	j := job{fn: fn, result: make(chan error, 1)}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return errClosed
	}
	w.jobs <- j
	w.mu.RUnlock()
	return <-j.result
}

func (w *writer) stop() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	<-w.done
}
