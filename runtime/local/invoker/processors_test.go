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

func TestWhoWaits(t *testing.T) {
	begun := time.Now()
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	read := func(d, wanted time.Duration, waits bool) usage {
		return usage{begun: begun, read: at(d), wanted: wanted, known: true, waits: waits}
	}
	for _, c := range []struct {
		name   string
		before usage
		after  time.Duration // since it began
		wanted time.Duration
		known  bool
		waits  bool
	}{
		{"first reading", usage{begun: begun}, 200 * time.Millisecond, 0, true, false},
		{"has just been started", usage{begun: begun, read: at(0)}, 200 * time.Millisecond, 50 * time.Millisecond, true, false},
		{"computes", read(time.Second, time.Second, false), 1200 * time.Millisecond, 1200 * time.Millisecond, true, false},
		{"computes with two processes", read(time.Second, time.Second, true), 1200 * time.Millisecond, 1400 * time.Millisecond, true, false},
		{"asks a store now and then", read(time.Second, time.Second, false), 1200 * time.Millisecond, 1030 * time.Millisecond, true, true},
		{"was not read for long", read(time.Second, time.Second, true), 9 * time.Second, time.Second, true, false},
		{"not measured, begun just now", usage{begun: begun}, 4 * time.Second, 0, false, false},
		{"not measured, begun a while ago", usage{begun: begun}, 5 * time.Second, 0, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.before.next(at(c.after), c.wanted, c.known); got.waits != c.waits {
				t.Errorf("got waits %v, want %v", got.waits, c.waits)
			}
		})
	}
	now := at(3 * time.Second)
	all := []usage{{begun: begun}, read(3*time.Second, 0, true), read(3*time.Second, 0, false), read(500*time.Millisecond, 0, true)}
	if got := computing(slices.Values(all), now); got != 3 { // the last one's reading is old
		t.Errorf("got %d that compute, want 3", got)
	}
}

// clocked is a sandbox that computes, or waits.
type clocked struct {
	sandbox.Sandbox
	begun time.Time
	waits atomic.Bool
}

func (c *clocked) CPUDemand() (time.Duration, bool) {
	if c.waits.Load() {
		return 0, true
	}
	return time.Since(c.begun), true
}
func (*clocked) Dial(context.Context) (net.Conn, error) { return nil, net.ErrClosed }
func (*clocked) Close()                                 {}

func TestMoreThanProcessorsRunOnlyBesideSuchAsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2, 10*256, time.Hour)
		var boxes []*clocked
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
		settle := func(waits bool, d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(lookEvery / 4) {
				synctest.Wait()
				for len(running) > 0 {
					w := <-running
					c := &clocked{begun: time.Now()}
					p.started(w, c)
					boxes, got = append(boxes, c), append(got, w)
				}
				for _, c := range boxes {
					c.waits.Store(waits)
				}
			}
		}
		settle(false, time.Minute)
		if len(got) != 2 {
			t.Errorf("got %d computing workers on 2 processors", len(got))
		}
		settle(true, 10*time.Second)
		if len(got) != 10 {
			t.Errorf("got %d waiting workers, want the 10 that the memory holds", len(got))
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
