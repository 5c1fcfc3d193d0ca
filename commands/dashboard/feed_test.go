package dashboard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

// countingWatch is a Watch that counts the calls of Refresh. From the second call on, Refresh returns err.
type countingWatch struct {
	times int
	err   error
}

func (c *countingWatch) Refresh(context.Context) (bool, error) {
	if c.times++; c.times > 1 {
		return false, c.err
	}
	return true, nil
}

func (c *countingWatch) Version() uint64                                               { return uint64(c.times) }
func (c *countingWatch) Pause() time.Duration                                          { return time.Second }
func (c *countingWatch) Jobs(time.Time) []entity.Job                                   { return nil }
func (c *countingWatch) Job(string, time.Time) (_ entity.Job, _ []entity.Call, _ bool) { return }

// The feed reads data once at the start and then only while a page is open.
func TestFeedReadsOnlyWhilePageIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &countingWatch{}
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		f := &feed{opened: make(chan struct{}), o: Options{
			Watch: w, Runtimes: func(context.Context) ([]runtime.Runtime, error) { return []runtime.Runtime{{Name: "a"}}, nil },
		}}
		go f.run(ctx)
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.times != 1 {
			t.Fatalf("%d refreshes without a page, want 1", w.times)
		}
		closed := f.addPage()
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if w.times < 10 || w.times > 12 {
			t.Errorf("%d refreshes in ten seconds with a page, want one per second", w.times)
		}
		closed()
		before := w.times
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.times > before+1 {
			t.Errorf("%d refreshes after the page was closed", w.times-before)
		}
	})
}

// If reading fails, the snapshot contains the error and the data that was read before.
func TestFeedKeepsDataAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("no network")
		w, lists := &countingWatch{err: failed}, 0
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		f := &feed{opened: make(chan struct{}), o: Options{
			Watch: w, Runtimes: func(context.Context) ([]runtime.Runtime, error) {
				if lists++; lists > 1 {
					return nil, failed
				}
				return []runtime.Runtime{{Name: "a"}}, nil
			},
		}}
		defer f.addPage()()
		go f.run(ctx)
		time.Sleep(2 * runtimesInterval)
		synctest.Wait()
		if n := f.snapshot(); len(n.runtimes) != 1 || !n.jobsRead || n.errs[0] != failed || n.errs[1] != failed {
			t.Errorf("got %+v, want the data that was read before and both errors", n)
		}
	})
}
