package dashboard

import (
	"context"
	"sync"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

// Watch provides the jobs. It is implemented by the jobs.Watcher of a runtime.Service. It must be safe for concurrent
// use.
type Watch interface {
	// Refresh reads new data. It reports whether anything has changed.
	Refresh(ctx context.Context) (bool, error)
	// Pause returns how long to wait before the next Refresh.
	Pause() time.Duration
	// Version returns a number that changes whenever the data changes.
	Version() uint64
	// Jobs returns the jobs, newest first.
	Jobs(now time.Time) []entity.Job
	// Job returns one job with its calls in the order of their IDs. It returns false if the job does not exist.
	Job(id string, now time.Time) (entity.Job, []entity.Call, bool)
}

// feed reads the data in the background while a page is open. Pages show the most recently read data and never wait for
// new data.
type feed struct {
	o Options

	mu       sync.Mutex // protects the fields below
	open     int        // number of open pages
	opened   chan struct{}
	runtimes []runtime.Runtime
	jobsRead bool  // the jobs have been read at least once
	load     *Load // nil if unknown
	errs     [3]error
}

// runtimesInterval is how long to wait before the runtimes are listed again.
const runtimesInterval = 15 * time.Second

// run reads the data until ctx is done.
func (f *feed) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() {
		f.poll(ctx, 0, f.o.Watch.Pause, func(ctx context.Context) error {
			_, err := f.o.Watch.Refresh(ctx)
			f.mu.Lock()
			f.jobsRead = f.jobsRead || err == nil
			f.mu.Unlock()
			return err
		})
	})
	all.Go(func() {
		f.poll(ctx, 1, func() time.Duration { return runtimesInterval }, func(ctx context.Context) error {
			list, err := f.o.Runtimes(ctx)
			if err == nil {
				f.mu.Lock()
				f.runtimes = list
				f.mu.Unlock()
			}
			return err
		})
	})
	if f.o.Load != nil {
		all.Go(func() {
			f.poll(ctx, 2, func() time.Duration { return refreshInterval }, func(ctx context.Context) error {
				load, err := f.o.Load(ctx)
				f.mu.Lock()
				f.load = load
				f.mu.Unlock()
				return err
			})
		})
	}
	all.Wait()
}

// poll calls read immediately, for the first page, and then after each pause while a page is open. It stores the last
// error in f.errs[index].
func (f *feed) poll(ctx context.Context, index int, pause func() time.Duration, read func(context.Context) error) {
	for {
		err := read(ctx)
		f.mu.Lock()
		f.errs[index] = err
		f.mu.Unlock()
		timer := time.NewTimer(pause())
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if !f.waitForPage(ctx) {
			return
		}
	}
}

// waitForPage waits until a page is open. It returns false if ctx is done.
func (f *feed) waitForPage(ctx context.Context) bool {
	f.mu.Lock()
	open, opened := f.open > 0, f.opened
	f.mu.Unlock()
	if !open {
		select {
		case <-opened:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// addPage registers an open page. The caller calls the returned function when the page is closed.
func (f *feed) addPage() func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open++; f.open == 1 {
		close(f.opened)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.open--; f.open == 0 {
			f.opened = make(chan struct{})
		}
	}
}

// snapshot holds the most recently read data.
type snapshot struct {
	runtimes []runtime.Runtime
	jobsRead bool // the jobs have been read at least once
	load     *Load
	errs     []error // errors of the last reads; nil entries for successful reads
}

func (f *feed) snapshot() snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := f.errs
	return snapshot{f.runtimes, f.jobsRead, f.load, errs[:]}
}
