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

// counted is a watch that counts how often it was refreshed, and fails with err from the second time on.
type counted struct {
	times int
	err   error
}

func (c *counted) Refresh(context.Context) (bool, error) {
	if c.times++; c.times > 1 {
		return false, c.err
	}
	return true, nil
}

func (c *counted) Version() uint64                                               { return uint64(c.times) }
func (c *counted) Pause() time.Duration                                          { return time.Second }
func (c *counted) Jobs(time.Time) []entity.Job                                   { return nil }
func (c *counted) Job(string, time.Time) (_ entity.Job, _ []entity.Call, _ bool) { return }

// Services are asked while somebody looks, once for the page that is being opened, and not otherwise.
func TestReadingEndsWithTheLastPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &counted{}
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
			t.Fatalf("without a page %d refreshes, want 1", w.times)
		}
		closed := f.watching()
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if w.times < 10 || w.times > 12 {
			t.Errorf("%d refreshes in ten seconds of a page, want one a second", w.times)
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

// What cannot be read is said, and what was read before stays.
func TestFailureStaysBesideWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("no network")
		w, lists := &counted{err: failed}, 0
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
		defer f.watching()()
		go f.run(ctx)
		time.Sleep(2 * betweenLists)
		synctest.Wait()
		if n := f.news(); len(n.runtimes) != 1 || !n.read || n.errs[0] != failed || n.errs[1] != failed {
			t.Errorf("%+v, want what was read before and both errors", n)
		}
	})
}
