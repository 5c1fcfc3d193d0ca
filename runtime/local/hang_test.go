//go:build !windows

package local

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// TestAnEndpointThatHangs: it is said to hang, no other is started in its place, and a stop ends it.
func TestAnEndpointThatHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	o := options(t)
	i := mustStart(t, o)
	if err := syscall.Kill(i.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	now, err := Status(t.Context(), o.Dir)
	if err != nil || now.Running || !now.Hangs || now.PID != i.PID || !strings.Contains(now.String(), "hangs") {
		t.Errorf("status: %v, running %t, hangs %t, %v", now, now.Running, now.Hangs, err)
	}
	if _, err := Start(t.Context(), o); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("start: %v", err)
	}
	begun := time.Now()
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Error("stop:", err)
	}
	if same(i) || time.Since(begun) > stopTimeout {
		t.Errorf("the process is there after a stop of %v", time.Since(begun))
	}
	if again := mustStart(t, o); again.Port != i.Port {
		t.Errorf("the next one listens on %d, want %d", again.Port, i.Port)
	}
}
