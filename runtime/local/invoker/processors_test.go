package invoker

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// A worker counts as waiting only if a current measurement shows a low CPU demand, or if its demand cannot be measured
// for a while.
func TestUsageDetectsWaitingWorkers(t *testing.T) {
	begun := time.Now()
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	measured := func(d, demand time.Duration, waiting bool) usage {
		return usage{begun: begun, read: at(d), demand: demand, known: true, waiting: waiting}
	}
	for _, c := range []struct {
		name    string
		before  usage
		after   time.Duration // since the start of the activation
		demand  time.Duration
		known   bool
		waiting bool
	}{
		{"first measurement", usage{begun: begun}, 200 * time.Millisecond, 0, true, false},
		{"has just been started", usage{begun: begun, read: at(0)}, 200 * time.Millisecond, 50 * time.Millisecond, true, false},
		{"computes", measured(time.Second, time.Second, false), 1200 * time.Millisecond, 1200 * time.Millisecond, true, false},
		{"computes with two processes", measured(time.Second, time.Second, true), 1200 * time.Millisecond, 1400 * time.Millisecond, true, false},
		{"polls a store", measured(time.Second, time.Second, false), 1200 * time.Millisecond, 1030 * time.Millisecond, true, true},
		{"old measurement", measured(time.Second, time.Second, true), 9 * time.Second, time.Second, true, false},
		{"not measurable, started recently", usage{begun: begun}, 4 * time.Second, 0, false, false},
		{"not measurable, started a while ago", usage{begun: begun}, 5 * time.Second, 0, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.before.next(at(c.after), c.demand, c.known); got.waiting != c.waiting {
				t.Errorf("got waiting %v, want %v", got.waiting, c.waiting)
			}
		})
	}
	now := at(3 * time.Second)
	all := []usage{{begun: begun}, measured(3*time.Second, 0, true), measured(3*time.Second, 0, false), measured(500*time.Millisecond, 0, true)}
	if got := computing(slices.Values(all), now); got != 3 { // the last measurement is old, so its worker counts as computing
		t.Errorf("got %d computing workers, want 3", got)
	}
}

// fakeSandbox is a sandbox that computes all the time or waits all the time.
type fakeSandbox struct {
	sandbox.Sandbox
	begun   time.Time
	waiting atomic.Bool
}

func (c *fakeSandbox) CPUDemand() (time.Duration, bool) {
	if c.waiting.Load() {
		return 0, true
	}
	return time.Since(c.begun), true
}
func (*fakeSandbox) Dial(context.Context) (net.Conn, error) { return nil, net.ErrClosed }
func (*fakeSandbox) Close()                                 {}

// With 2 processors, 2 computing workers run at a time. If the workers wait, as many run as fit in memory.
func TestPoolExceedsProcessorsOnlyIfWorkersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2, 10*256, time.Hour)
		var sandboxes []*fakeSandbox
		running := make(chan *worker, 20)
		ctx, cancel := context.WithCancel(t.Context())
		for range 20 {
			go func() {
				w, err := p.acquire(ctx, key{memoryMB: 256})
				if err != nil {
					return
				}
				running <- w
			}()
		}
		var got []*worker
		settle := func(waiting bool, d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(measureInterval / 4) {
				synctest.Wait()
				for len(running) > 0 {
					w := <-running
					s := &fakeSandbox{begun: time.Now()}
					p.setSandbox(w, s)
					sandboxes, got = append(sandboxes, s), append(got, w)
				}
				for _, s := range sandboxes {
					s.waiting.Store(waiting)
				}
			}
		}
		settle(false, time.Minute)
		if len(got) != 2 {
			t.Errorf("got %d computing workers on 2 processors, want 2", len(got))
		}
		settle(true, 10*time.Second)
		if len(got) != 10 {
			t.Errorf("got %d waiting workers, want the 10 that fit in memory", len(got))
		}
		cancel()
		synctest.Wait()
		for _, w := range got {
			p.release(w, false)
		}
		p.close()
		p.closing.Wait()
	})
}
