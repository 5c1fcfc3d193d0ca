package invoker

import (
	"context"
	"testing"
	"time"
)

func TestPoolIsFairAndBounded(t *testing.T) {
	p := newPool(2, 1000, time.Hour)
	small, large := key{revision: "small", memoryMB: 300}, key{revision: "large", memoryMB: 900}
	a, err := p.acquire(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 3)
	wait := func(ctx context.Context, name string, k key) {
		p.mu.Lock()
		before := p.queue.Len()
		p.mu.Unlock()
		go func() {
			w, err := p.acquire(ctx, k)
			if err != nil {
				name = "cancelled"
			}
			got <- name
			if w != nil {
				p.release(w, false)
			}
		}()
		for {
			p.mu.Lock()
			queued := p.queue.Len() > before
			p.mu.Unlock()
			if queued {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	wait(t.Context(), "large", large)  // does not fit beside the small one
	wait(cancelled, "given up", small) // would fit, but came later
	cancel()
	if name := <-got; name != "cancelled" {
		t.Error(name)
	}
	select {
	case name := <-got:
		t.Error("ran beside what leaves no room for it: ", name)
	default:
	}
	p.release(a, false)
	if name := <-got; name != "large" {
		t.Error(name)
	}
	huge, err := p.acquire(t.Context(), key{memoryMB: 5000}) // alone, everything may run
	if err != nil {
		t.Fatal(err)
	}
	p.release(huge, false)
	if p.used != 0 || p.usedMB != 0 {
		t.Error(p.used, p.usedMB)
	}
	p.close()
	if _, err := p.acquire(t.Context(), small); err == nil {
		t.Error("a closed pool gives a worker")
	}
}
