package runtime_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
)

// A panic during any request, in the goroutine of the operation or in a worker, becomes an error that does not contain
// the panic value. The next run ends in the correct state.
func TestPanicAtAnyRequest(t *testing.T) {
	const secret = "sEcReT-0123456789"
	ctx := context.Background()
	deploy := func(w *world) error {
		_, err := w.Deploy(ctx, runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{256, 512}})
		return err
	}
	for name, operation := range map[string]func(*world) error{
		"deploy": deploy,
		"list":   func(w *world) error { _, err := w.List(ctx, runtime.ListRequest{}); return err },
		"delete": func(w *world) error { _, err := w.Delete(ctx, runtime.DeleteRequest{Name: "me/img:1"}); return err },
		"clean":  func(w *world) error { _, err := w.Clean(ctx, runtime.CleanRequest{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			panics := 0
			for n := 0; ; n++ {
				w := newWorld(t)
				if name != "deploy" {
					if err := deploy(w); err != nil {
						t.Fatal(err)
					}
				}
				var mu sync.Mutex
				count, hit := 0, ""
				hook := func(request string, after bool) error {
					mu.Lock()
					defer mu.Unlock()
					if after {
						return nil
					}
					if count++; count == n+1 {
						hit = request
						panic("while sending " + secret)
					}
					return nil
				}
				w.compute.Hook, w.store.Hook = hook, hook
				first := fault.Try(func() error { return operation(w) }) // as commands.Run does
				if hit == "" {
					break
				}
				panics++
				if first != nil && strings.Contains(first.Error(), secret) {
					t.Errorf("%s: %v", hit, first)
				}
				if first == nil && !strings.HasPrefix(hit, "GET") && !strings.HasPrefix(hit, "LIST") && !strings.HasPrefix(hit, "HEAD") {
					t.Errorf("%s was not done, and no error reports it", hit)
				}
				w.compute.Hook, w.store.Hook = nil, nil
				if err := operation(w); err != nil && (name != "delete" || !fault.Is(err, fault.NotFound)) { // it was already deleted
					t.Errorf("after a panic at %s: %v (first %v)", hit, err, first)
				}
			}
			if panics < 2 {
				t.Errorf("%d panics", panics)
			}
		})
	}
}
