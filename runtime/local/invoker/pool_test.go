package invoker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
)

// The pool serves activations in order and keeps within its memory budget. An activation that exceeds the budget runs
// alone.
func TestPoolServesInOrderWithinMemory(t *testing.T) {
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
				name = "canceled"
			}
			got <- name
			if w != nil {
				p.release(w, false)
			}
		}()
		runtimetest.Eventually(t, name+" waits", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.queue.Len() > before
		})
	}
	canceled, cancel := context.WithCancel(t.Context())
	wait(t.Context(), "large", large) // does not fit in memory together with the small one
	wait(canceled, "given up", small) // would fit, but is behind the large one in the queue
	cancel()
	if name := <-got; name != "canceled" {
		t.Errorf("got %q, want %q", name, "canceled")
	}
	select {
	case name := <-got:
		t.Error("an activation ran that does not fit in memory: ", name)
	default:
	}
	p.release(a, false)
	if name := <-got; name != "large" {
		t.Errorf("got %q, want %q", name, "large")
	}
	huge, err := p.acquire(t.Context(), key{memoryMB: 5000}) // exceeds the budget, so it may only run alone
	if err != nil {
		t.Fatal(err)
	}
	p.release(huge, false)
	if p.workers != 0 || p.usedMB != 0 {
		t.Errorf("the pool has %d workers with %d MB, want none", p.workers, p.usedMB)
	}
	p.close()
	if _, err := p.acquire(t.Context(), small); err == nil {
		t.Error("a closed pool returns a worker")
	}
}

func TestLoad(t *testing.T) {
	v := &Invoker{pool: newPool(1, 500, time.Hour)}
	defer v.pool.closing.Wait()
	defer v.pool.close()
	w, err := v.pool.acquire(t.Context(), key{memoryMB: 300})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		_, err := v.pool.acquire(ctx, key{memoryMB: 400})
		second <- err
	}()
	want := Load{Busy: 1, Waiting: 1, Computing: 1, Processors: 1, UsedMB: 300, BudgetMB: 500}
	runtimetest.Eventually(t, fmt.Sprintf("a load of %+v", want), func() bool { return v.Load() == want })
	cancel()
	<-second
	v.pool.release(w, false)
	if got, want := v.Load(), (Load{Processors: 1, BudgetMB: 500}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
