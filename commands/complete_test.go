package commands

import (
	"strings"
	"testing"

	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
)

// Completion offers only the memory sizes that the service accepts.
func TestCompleteMemoryWithinLimits(t *testing.T) {
	h := newRegionsHarness(t)
	compute := runtimetest.NewCompute(lithops.Contract{Backend: lithops.OpenWhisk})
	h.compute["us-south"] = compute
	offers := func(line string) string {
		t.Helper()
		h.out.Reset()
		if status := h.run("__complete " + line + " "); status != exitDone {
			t.Fatalf("exit status %d: %s", status, h.err.String())
		}
		words, _, _ := strings.Cut(h.out.String(), "\n:")
		return strings.Join(strings.Fields(words), " ")
	}
	for _, command := range []string{"deploy", "update", "delete"} {
		compute.Allowed = nil
		if got := offers(command + " me/x:1 --memory="); got != "256 512 1024 2048" {
			t.Errorf("%s without limits: got %q, want all", command, got)
		}
		compute.Allowed = &lithops.Limits{MinMemoryMB: 128, MaxMemoryMB: 512, MaxTimeoutS: 300}
		if got := offers(command + " me/x:1 --memory="); got != "256 512" {
			t.Errorf("%s with a limit of 512 MB: got %q, want 256 512", command, got)
		}
	}
}
