package dashboard

import (
	"context"
	"sync"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

// Watch is what is to be seen of jobs: a jobs.Watcher of a runtime.Service. It is used from several goroutines.
type Watch interface {
	// Refresh reads what is new.
	Refresh(ctx context.Context) (bool, error)
	// Pause is how long to wait before the next Refresh.
	Pause() time.Duration
	// Version changes whenever there is something new.
	Version() uint64
	// Jobs returns the jobs, the newest first.
	Jobs(now time.Time) []entity.Job
	// Job returns one job with its calls in the order of their ids.
	Job(id string, now time.Time) (entity.Job, []entity.Call, bool)
}

// feed reads what the page shows while a page is open. Pages show what has been read and never wait for it.
type feed struct {
	o Options

	mu       sync.Mutex // what follows
	open     int        // pages
	opened   chan struct{}
	runtimes []runtime.Runtime
	read     bool  // the jobs have been
	load     *Load // nil: not known
	errs     [3]error
}

// betweenLists is how long to wait before the runtimes are listed again.
const betweenLists = 15 * time.Second

// run reads until ctx ends.
func (f *feed) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() {
		f.again(ctx, 0, f.o.Watch.Pause, func(ctx context.Context) error {
			_, err := f.o.Watch.Refresh(ctx)
			f.mu.Lock()
			f.read = f.read || err == nil
			f.mu.Unlock()
			return err
		})
	})
	all.Go(func() {
		f.again(ctx, 1, func() time.Duration { return betweenLists }, func(ctx context.Context) error {
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
			f.again(ctx, 2, func() time.Duration { return every }, func(ctx context.Context) error {
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

// again reads, and again after each pause while a page is open. The first time is for the page that is being opened.
func (f *feed) again(ctx context.Context, which int, pause func() time.Duration, read func(context.Context) error) {
	for {
		err := read(ctx)
		f.mu.Lock()
		f.errs[which] = err
		f.mu.Unlock()
		timer := time.NewTimer(pause())
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if !f.wanted(ctx) {
			return
		}
	}
}

// wanted waits until a page is open; it reports false when ctx ends first.
func (f *feed) wanted(ctx context.Context) bool {
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

// watching says that a page is open until the function returned is called.
func (f *feed) watching() func() {
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

// news is what has been read.
type news struct {
	runtimes []runtime.Runtime
	read     bool // the jobs have been
	load     *Load
	errs     []error // that came the last time
}

func (f *feed) news() news {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := f.errs
	return news{f.runtimes, f.read, f.load, errs[:]}
}
