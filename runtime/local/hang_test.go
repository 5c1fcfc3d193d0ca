//go:build !windows

package local

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// An endpoint that hangs is reported as hanging. Start does not start another one, and Stop kills it.
func TestHangingEndpoint(t *testing.T) {
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
	if _, err := Start(t.Context(), o); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "does not respond") {
		t.Errorf("start: %v", err)
	}
	begun := time.Now()
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Error("stop:", err)
	}
	if sameProcess(i) || time.Since(begun) > stopTimeout {
		t.Errorf("the process still runs after a stop of %v", time.Since(begun))
	}
	if again := mustStart(t, o); again.Port != i.Port {
		t.Errorf("the next endpoint listens on port %d, want %d", again.Port, i.Port)
	}
}
