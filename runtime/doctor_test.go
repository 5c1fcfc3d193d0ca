package runtime_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/runtimetest"
)

func TestDoctorRepairsOrphans(t *testing.T) {
	w := newDeployedWorld(t)
	_ = w.Cache.WriteMetadata(w.key("docker.io/me/only_cached", 256), []byte("{}"))
	find := func(checks []runtime.Check, name string) runtime.Check {
		for _, c := range checks {
			if c.Name == name {
				return c
			}
		}
		t.Fatalf("no check %s", name)
		return runtime.Check{}
	}
	checks, err := w.Doctor(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if c := find(checks, "orphans"); c.Status != check.Failed || !strings.Contains(c.Remedy.String(), "--repair") {
		t.Errorf("got %+v, want status %s and --repair as the remedy", c, check.Failed)
	}
	if c := find(checks, "caches"); c.Status != check.Failed {
		t.Errorf("got %+v, want status %s", c, check.Failed)
	}
	before := len(w.compute.All())
	if _, err := w.Doctor(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	checks, _ = w.Doctor(t.Context(), false)
	for _, c := range checks {
		if c.Status == check.Failed {
			t.Errorf("after the repair: %s %s", c.Name, c.Finding)
		}
	}
	if len(w.compute.All()) != before {
		t.Error("doctor touched actions")
	}
}

func TestDoctorReportsProblems(t *testing.T) {
	s := &runtime.Service{Problems: map[string]error{
		"lithops": fault.New(fault.NotFound, injected, injected),
		"backend": fault.New(fault.NotLoggedIn, injected, injected),
	}}
	checks, err := s.Doctor(t.Context(), true)
	if err != nil || len(checks) != 11 {
		t.Fatalf("%v %v", checks, err)
	}
}

func TestCleanKeepsNeighbors(t *testing.T) {
	w := newDeployedWorld(t)
	now := time.Now()
	neighbors := []string{"lithops.jobs-old/a", "lithops.jobsX", "lithops.runtimes/ibm_cf/3.7.0/us/ns/a_256MB_3.7.0.meta.json", "data/lithops.jobs/a",
		"lithops.runtimes/openwhiskX/a", "lithops.jobs", "x"}
	for _, k := range append([]string{"lithops.jobs/a/b", "lithops.jobs/c"}, neighbors...) {
		w.store.Set(k, []byte("1"), now.Add(-time.Hour))
	}
	w.store.Set("lithops.jobs/new", []byte("1"), now)
	if _, err := w.Clean(t.Context(), runtime.CleanRequest{OlderThan: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if keys := w.store.Keys(); !slices.Contains(keys, "lithops.jobs/new") || slices.Contains(keys, "lithops.jobs/c") || len(w.compute.All()) < 8 {
		t.Errorf("after housekeeping: %v", keys)
	}
	plan, err := w.Clean(t.Context(), runtime.CleanRequest{DryRun: true})
	if err != nil || len(plan.Items) == 0 {
		t.Fatal(err)
	}
	if _, err := w.Clean(t.Context(), runtime.CleanRequest{}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(neighbors)
	if keys := w.store.Keys(); !slices.Equal(keys, neighbors) {
		t.Errorf("left: %v", keys)
	}
	if all := w.compute.All(); len(all) != 1 || all["mine/img_256MB_3.7.0"].Reference == "" {
		t.Errorf("actions left: %v", all)
	}
	if keys := w.compute.Groups(); !slices.Equal(keys, []string{"mine"}) {
		t.Errorf("packages left: %v", keys)
	}
}

func TestCleanRecoversFromAFaultAtAnyRequest(t *testing.T) {
	faultAtEveryRequest(t, func(w *world) error {
		_, err := w.Clean(context.Background(), runtime.CleanRequest{})
		return err
	}, func(w *world) {
		if _, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
			t.Fatal(err)
		}
		w.store.Set("lithops.jobs/a", nil, time.Now())
	}, func(t *testing.T, w *world) { w.checkEmpty(t) })
}

func TestInvokeMeasures(t *testing.T) {
	w := newDeployedWorld(t)
	cold := true
	w.compute.Run = func(entity.Registered) entity.Activation {
		a := runtimetest.MetadataActivation("3.11", "3.7.0")
		if !cold {
			a.InitMS = 0
		}
		cold = false
		return a
	}
	calls, err := w.Invoke(t.Context(), runtime.InvokeRequest{Name: "default"})
	if err != nil || len(calls) != 2 || !calls[0].Cold || calls[1].Cold || calls[0].InitMS != 80 {
		t.Errorf("%+v %v", calls, err)
	}
	_, err = w.Invoke(t.Context(), runtime.InvokeRequest{Name: "default", MemoryMB: 1024})
	mustFault(t, err, fault.NotFound, "--memory 1024")
}

// A cause is reported once, by the check that it concerns. Checks that depend on it are skipped.
func TestDoctorReportsACauseOnce(t *testing.T) {
	w := newWorld(t)
	w.compute.Hook = func(string, bool) error { return fault.New(fault.Denied, injected, injected) }
	checks, err := w.Doctor(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]check.Status{}
	for _, c := range checks {
		got[c.Name] = c.Status
	}
	want := map[string]check.Status{"python": check.OK, "lithops": check.OK, "configuration": check.Skipped, "session": check.Failed, "region": check.OK,
		"namespace": check.Skipped, "bucket": check.OK, "caches": check.OK, "orphans": check.Skipped, "runtimes": check.Skipped, "docker": check.Skipped}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the checks (-want +got):\n%s", d)
	}
}

// Doctor finds problems that would otherwise fail deploy or a job: a bucket that cannot be created, a backend that is
// not configured, a configuration that the client rejects.
func TestDoctorReportsTheCause(t *testing.T) {
	refused := fault.New(fault.Invalid, injected, injected)
	for name, tc := range map[string]struct {
		damage func(w *world)
		check  string
		status check.Status
		words  string
	}{
		"bucket":        {func(w *world) { w.Target.Bucket = "Lithops_Local"; w.store.RemoveBucket() }, "bucket", check.Failed, "'Lithops_Local' is not a valid bucket name"},
		"address":       {func(w *world) { w.Target.Bucket = "192.168.0.1"; w.store.RemoveBucket() }, "bucket", check.Failed, "must not be an IP address"},
		"two dots":      {func(w *world) { w.Target.Bucket = "my..bucket"; w.store.RemoveBucket() }, "bucket", check.Failed, "between letters or digits"},
		"configuration": {func(w *world) { w.LoadClientConfig = func(context.Context) (string, error) { return "c", refused } }, "configuration", check.Failed, ""},
		"taken":         {func(w *world) { w.LoadClientConfig = func(context.Context) (string, error) { return "c", nil } }, "configuration", check.OK, "uses the configuration c"},
		"no backend": {func(w *world) {
			w.Contract.Backend, w.Problems = "", map[string]error{"backend": refused}
		}, "lithops", check.OK, "Lithops 3.7.0 in"},
		"whose fault": {func(w *world) {
			w.Contract.Backend, w.Problems = "", map[string]error{"backend": refused}
		}, "configuration", check.Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.damage(w)
			checks, err := w.Doctor(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(checks, func(c runtime.Check) bool { return c.Name == tc.check })
			if i < 0 {
				t.Fatalf("no check %s", tc.check)
			}
			if got := checks[i]; got.Status != tc.status || !strings.Contains(got.Finding.String(), tc.words) {
				t.Errorf("check %s: got %s %q, want %s with %q", tc.check, got.Status, got.Finding, tc.status, tc.words)
			}
		})
	}
}

// A cold start is measured with a copy of the runtime. The copy is deleted even if the call fails.
func TestInvokeColdUsesACopy(t *testing.T) {
	w := newDeployedWorld(t)
	before, err := w.compute.Runtimes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var called []string
	fails := false
	w.compute.Run = func(r entity.Registered) entity.Activation {
		called = append(called, r.ID.Name)
		a := runtimetest.MetadataActivation("3.11", "3.7.0")
		a.Success = !fails
		return a
	}
	if _, err := w.Invoke(t.Context(), runtime.InvokeRequest{Name: "default", Cold: true}); err != nil {
		t.Error(err)
	}
	fails = true
	if _, err := w.Invoke(t.Context(), runtime.InvokeRequest{Name: "default", Cold: true, Count: 1}); err == nil {
		t.Error("a call that fails is no error")
	}
	for _, name := range called {
		if !strings.HasSuffix(name, "_cold") {
			t.Errorf("%s was called, want a copy", name)
		}
	}
	after, err := w.compute.Runtimes(t.Context())
	if err != nil || len(called) != 3 || len(after.Runtimes) != len(before.Runtimes) {
		t.Errorf("%d calls, %d runtimes after %d, %v; want 3 calls and no more runtimes", len(called), len(after.Runtimes), len(before.Runtimes), err)
	}
	_, err = w.Invoke(t.Context(), runtime.InvokeRequest{Name: "default", MemoryMB: 1024, Cold: true})
	mustFault(t, err, fault.NotFound, "--memory 1024")
}
