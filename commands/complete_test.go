package commands

import (
	"strings"
	"testing"

	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
)

// Completion offers only the memory sizes that the service accepts.
func TestCompleteMemoryWithinLimits(t *testing.T) {
	e := newRegionsHarness(t)
	compute := runtimetest.NewCompute(lithops.Contract{Backend: lithops.OpenWhisk})
	e.compute["us-south"] = compute
	offers := func(line string) string {
		t.Helper()
		e.out.Reset()
		if status := e.run("__complete " + line + " "); status != exitDone {
			t.Fatalf("exit status %d: %s", status, e.err.String())
		}
		words, _, _ := strings.Cut(e.out.String(), "\n:")
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
