package runtime_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/runtimetest"
)

// A deployment ends if its image never responds, after the time in which the service must have reported the cause. It
// leaves nothing behind.
func TestDeployOfAnImageThatNeverResponds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.compute.CallDuration = 24 * time.Hour
		began := time.Now()
		_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/sleep:1"})
		if got := fault.KindOf(err); got != fault.Timeout {
			t.Fatalf("got %v (%s), want a fault of kind %s", err, got, fault.Timeout)
		}
		if took, limit := time.Since(began), 300*time.Second; took <= limit || took > 2*limit+time.Minute {
			t.Errorf("it took %s, want more than the runtime's own limit of %s, and an end", took, limit)
		}
		if left := w.compute.All(); len(left) > 0 {
			t.Errorf("it left %v, want nothing", left)
		}
	})
}

// A service stores the record of an activation after its response. The diagnosis waits for the log in it.
func TestDiagnosisWaitsForTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		asked := 0
		w.compute.Run = func(entity.Registered) entity.Activation {
			return runtimetest.FailedActivation("The action did not initialize.")
		}
		w.compute.Hook = func(request string, after bool) error {
			if after || !strings.HasPrefix(request, "GET call") {
				return nil
			}
			if asked++; asked < 4 {
				return runtimetest.NotFound(request)
			}
			w.compute.AddLog(strings.TrimPrefix(request, "GET call "), "ModuleNotFoundError: No module named 'numpy'")
			return nil
		}
		_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
		if err == nil || !strings.Contains(err.Error(), "numpy") {
			t.Errorf("got %v after %d looks, want the module that the log names", err, asked)
		}
	})
}
