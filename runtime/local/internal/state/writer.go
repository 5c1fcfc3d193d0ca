package state

import (
	"errors"
	"sync"

	"go.etcd.io/bbolt"
)

// writer commits what several goroutines want to write in one transaction, so that they share one wait for the disk.
// bbolt's own Batch makes a lone writer wait for company; this one never waits.
type writer struct {
	update func(fn func(*bbolt.Tx) error) error
	jobs   chan job
	done   chan struct{}
	mu     sync.RWMutex // guards closed against jobs in flight
	shut   bool
}

type job struct {
	fn     func(*bbolt.Tx) error
	result chan error
}

var errClosed = errors.New("the state is closed")

const maxTogether = 256

func startWriter(update func(func(*bbolt.Tx) error) error) *writer {
	w := &writer{update: update, jobs: make(chan job, maxTogether), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for first := range w.jobs {
			w.commit(w.waiting(first))
		}
	}()
	return w
}

// waiting returns the first job with all that queue behind it now.
func (w *writer) waiting(first job) []job {
	jobs := []job{first}
	for len(jobs) < maxTogether {
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

// commit runs the jobs in one transaction. One that fails must not undo the others, so then each runs by itself.
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

// do runs fn in a transaction and returns when it is on disk. fn may run twice; it must set, not add to, what it
// leaves outside.
func (w *writer) do(fn func(*bbolt.Tx) error) error {
	j := job{fn: fn, result: make(chan error, 1)}
	w.mu.RLock()
	if w.shut {
		w.mu.RUnlock()
		return errClosed
	}
	w.jobs <- j
	w.mu.RUnlock()
	return <-j.result
}

func (w *writer) stop() {
	w.mu.Lock()
	if !w.shut {
		w.shut = true
		close(w.jobs)
	}
	w.mu.Unlock()
	<-w.done
}
