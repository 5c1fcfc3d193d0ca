package invoker

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fn-runtime/runtime/local/invoke"
)

// An interpreter that hangs, for example on an unreachable network file system, does not delay actions that use another
// interpreter.
func TestHangingInterpreterDoesNotDelayOthers(t *testing.T) {
	v := newProcess(t, Options{})
	hanging := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(hanging, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for range 2 {
		inv := action("def main(a):\n return {}")
		inv.Python = hanging
		go func() {
			_, err := v.Run(ctx, inv)
			ended <- err
		}()
	}
	time.Sleep(100 * time.Millisecond) // until both actions wait for the interpreter
	if o := mustRun(t, v, action("def main(a):\n return {}")); o.Status != invoke.Success {
		t.Errorf("the other action: %s", o.Result)
	}
	if len(ended) > 0 {
		t.Errorf("the hanging actions ended before the other action: %v", <-ended)
	}
	cancel()
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("an action ran with an interpreter that hangs")
		}
	}
}
