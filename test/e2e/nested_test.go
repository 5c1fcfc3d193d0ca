package e2e

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/test/harness"
)

// TestNestedMaps runs calls that start other calls and wait for them. The calls that they wait for must run even if
// more calls wait than there are processors. Calls that compute must not all run at once.
func TestNestedMaps(t *testing.T) {
	c := clients[0]
	venv := harness.Venv(t, c.python, append([]string{c.lithops}, c.more...)...)
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	s.FnRuntime("local", "start", "--python", python, "--memory", "8192")
	e := s.Endpoint()
	write(t, filepath.Join(s.Home, ".lithops", "config"), c.config(t, e))
	s.Env = append(s.Env, e.Trust()...)
	s.FnRuntime("deploy", "default")

	var got struct{ Sums, Most any }
	decode(t, result(t, s.Run(2*time.Minute, python, script(t, "nested.py"))), &got)
	if diff := cmp.Diff([]any{285.0, 385.0, 505.0, 645.0}, got.Sums); diff != "" {
		t.Errorf("nested maps: -want +got\n%s", diff)
	}
	if most := got.Most.(float64); most > float64(2*runtime.NumCPU()) {
		t.Errorf("%v computing calls ran at once on %d processors", most, runtime.NumCPU())
	}
}
