package runtimetest_test

import (
	"sync"
	"testing"

	"fn-runtime/runtime/runtimetest"
)

func TestFreePortReservesThePort(t *testing.T) {
	var (
		ports sync.Map
		wg    sync.WaitGroup
	)
	for range 300 {
		wg.Go(func() {
			if port := runtimetest.FreePort(t); port > 0 {
				if _, taken := ports.LoadOrStore(port, true); taken {
					t.Errorf("got port %d twice", port)
				}
			}
		})
	}
	wg.Wait()
}
