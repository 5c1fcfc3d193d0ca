package runtime_test

import (
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// The installation allows 512 MB and 300 s.
func TestDryRunChecksTheLimitsOfTheInstallation(t *testing.T) {
	w := newWorld(t)
	w.compute.Allowed = &lithops.Limits{MinMemoryMB: 128, MaxMemoryMB: 512, MaxTimeoutS: 300}
	_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{512, 1024}, DryRun: true})
	mustFault(t, err, fault.Usage, "1024 MB", "128 to 512 MB")
}
