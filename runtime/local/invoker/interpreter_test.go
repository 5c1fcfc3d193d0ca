package invoker

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fn-runtime/runtime/local/invoke"
)

// TestHangingInterpreterHoldsUpNobody has actions that name a Python which never tells about itself, as one on a network
// file system that is gone.
func TestHangingInterpreterHoldsUpNobody(t *testing.T) {
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
	time.Sleep(100 * time.Millisecond) // until both ask
	if o := mustRun(t, v, action("def main(a):\n return {}")); o.Status != invoke.Success {
		t.Errorf("the other action: %s", o.Result)
	}
	if len(ended) > 0 {
		t.Errorf("the other action has waited for the interpreter that hangs: %v", <-ended)
	}
	cancel()
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("an action ran with a Python that hangs")
		}
	}
}
