package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/runtimetest"
)

func TestDeployCreatesAUsableRuntime(t *testing.T) {
	w := newWorld(t)
	w.store.RemoveBucket()
	result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"})
	if err != nil {
		t.Fatal(err)
	}
	w.checkUsable(t, defaultImage, 256)
	a := w.compute.All()[pkg+"/"+w.action(defaultImage, 256)]
	if a.Reference != defaultImage || a.MemoryMB != 256 || a.TimeoutMS != 300_000 || a.Notes["fn-runtime-python"] != "3.11" {
		t.Errorf("action is %+v", a)
	}
	for _, kind := range []runtime.Kind{runtime.KindResource, runtime.KindBucket, runtime.KindRuntime, runtime.KindMetadata, runtime.KindCache} {
		if it := item(t, result, kind); it.Change != runtime.Create || it.Status != runtime.Done {
			t.Errorf("%s: %+v", kind, it)
		}
	}
}

// The runtime is usable after four sequential requests. A fifth verifies that it was not deleted in the meantime.
// Concurrent requests count once. Time is simulated, so the duration is exact.
func TestFirstDeployTakesFiveSequentialRequests(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		const delay = 100 * time.Millisecond
		slow := func(op string, after bool) error {
			if !after && op != "CLEANUP" { // OpenWhisk needs no cleanup and sends no request
				time.Sleep(delay)
			}
			return nil
		}
		w.compute.Hook, w.store.Hook = slow, slow
		start := time.Now()
		if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default", MemoryMB: []int{256, 512, 1024}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 5*delay {
			t.Errorf("took %v, which is not 5 waves of %v", took, delay)
		}
		w.compute.Hook, w.store.Hook = nil, nil
	})
	for _, m := range []int{256, 512, 1024} {
		w.checkUsable(t, defaultImage, m)
	}
}

func TestDeployAgainChangesNothing(t *testing.T) {
	w := newWorld(t)
	req := runtime.DeployRequest{Name: "me/my_img:0.1", MemoryMB: []int{512, 128}}
	if _, err := w.Deploy(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	w.resetRequests()
	result, err := w.Deploy(t.Context(), req)
	if err != nil || result.Changed() || w.writes() != 0 {
		t.Errorf("err %v, changed %v, requests %v", err, result.Changed(), w.requests())
	}
	for _, it := range result.Items {
		if it.Status != runtime.Done {
			t.Errorf("got %+v, want status %s", it, runtime.Done)
		}
	}
	if len(w.requests()) != 4 { // a GET of action and metadata for each memory size
		t.Errorf("requests %v", w.requests())
	}
}

func TestDeployRepairsWhatIsMissing(t *testing.T) {
	image := "docker.io/me/img:1"
	key := func(w *world) string { return w.key(image, 256) }
	for name, c := range map[string]struct {
		damage      func(t *testing.T, w *world)
		put, called bool
	}{
		"cache missing":    {func(t *testing.T, w *world) { _ = w.Cache.RemoveMetadata(key(w)) }, false, false},
		"cache differs":    {func(t *testing.T, w *world) { _ = w.Cache.WriteMetadata(key(w), []byte("{}")) }, false, false},
		"metadata missing": {func(t *testing.T, w *world) { _ = w.store.Delete(t.Context(), key(w)) }, false, true},
		"metadata wrong":   {func(t *testing.T, w *world) { w.store.Set(key(w), []byte("<html>"), time.Now()) }, false, true},
		"metadata without timeout": {func(t *testing.T, w *world) {
			data, _ := w.store.Get(t.Context(), key(w))
			w.store.Set(key(w), []byte(strings.Replace(string(data), `"runtime_timeout": 300, `, "", 1)), time.Now())
		}, false, false},
		"metadata without proof": {func(t *testing.T, w *world) {
			w.store.Set(key(w), []byte(`{"preinstalls": [], "python_version": "3.11", "lithops_version": "3.7.0", "runtime_timeout": 300}`), time.Now())
		}, false, true},
		"action missing": {func(t *testing.T, w *world) { w.compute.Remove(entity.ID{Group: pkg, Name: w.action(image, 256)}) }, true, true},
		"all missing": {func(t *testing.T, w *world) {
			w.compute.Remove(entity.ID{Group: pkg, Name: w.action(image, 256)})
			w.store.RemoveBucket()
		}, true, true},
		"deployed by Lithops": {func(t *testing.T, w *world) {
			w.compute.Put(withoutNotes(w.compute.All()[pkg+"/"+w.action(image, 256)]))
		}, true, true},
		"code changed": {func(t *testing.T, w *world) { w.editLithops(t, "changed = True\n") }, true, true},
		"other time limit": {func(t *testing.T, w *world) {
			a := w.compute.All()[pkg+"/"+w.action(image, 256)]
			a.TimeoutMS = 60_000
			w.compute.Put(a)
		}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			req := runtime.DeployRequest{Name: "me/img:1"}
			if _, err := w.Deploy(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			c.damage(t, w)
			w.resetRequests()
			plan, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", DryRun: true})
			if err != nil || !plan.Changed() || w.writes() != 0 {
				t.Errorf("plan %+v, %v; requests %v", plan.Items, err, w.requests())
			}
			w.resetRequests()
			if _, err := w.Deploy(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			w.checkUsable(t, image, 256)
			put, called := false, false
			for _, r := range w.compute.Requests() {
				put = put || strings.HasPrefix(r, "PUT runtime")
				called = called || strings.HasPrefix(r, "POST runtime")
			}
			if put != c.put || called != c.called {
				t.Errorf("put %v, called %v; requests %v", put, called, w.requests())
			}
			w.resetRequests()
			if again, err := w.Deploy(t.Context(), req); err != nil || again.Changed() {
				t.Errorf("a second run changes %+v, %v", again.Items, err)
			}
		})
	}
}

func TestBrokenRuntimeIsCleanedUp(t *testing.T) {
	image := "docker.io/me/img:1"
	for name, c := range map[string]struct {
		run   entity.Activation
		words []string
	}{
		"module missing": {runtimetest.FailedActivation("The action did not initialize.", "stderr: ModuleNotFoundError: No module named 'ps_mem'"),
			[]string{"does not contain the Python module ps_mem", "Add ps_mem to the image", "ModuleNotFoundError"}},
		"escapes": {runtimetest.FailedActivation("bad \x1b[31mcolor", "\x1b]0;title\x07 line"), []string{`does not start: bad \x1b[31mcolor`, `\x1b]0;title\x07 line`}},
		"memory":  {runtimetest.FailedActivation("The action exhausted its memory and was aborted."), []string{"needs more than 256 MB", "--memory 512"}},
		"python":  {runtimetest.MetadataActivation("3.8", "3.7.0"), []string{"runs Python 3.8", "client runs Python 3.11"}},
		"lithops": {runtimetest.MetadataActivation("3.11", "3.6.0"), []string{"runs Lithops 3.6.0"}},
		"no metadata": {entity.Activation{Success: true, Result: []byte(`{"hello": "world"}`)},
			[]string{"does not start", "not Lithops metadata", "ibmcloud fn-runtime init"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.compute.Run = func(entity.Registered) entity.Activation { return c.run }
			result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
			mustFault(t, err, fault.Failed, c.words...)
			w.checkEmpty(t)
			if names := w.compute.Groups(); len(names) > 0 {
				t.Errorf("packages are left: %v", names)
			}
			if it := item(t, result, runtime.KindRuntime); it.Status != runtime.Failed {
				t.Errorf("got %+v, want status %s", it, runtime.Failed)
			}
			if len(result.Runtimes) > 0 {
				t.Errorf("runtimes %v", result.Runtimes)
			}
		})
	}
	t.Run("one that worked before", func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
			t.Fatal(err)
		}
		w.editLithops(t, "broken = ")
		w.compute.Run = func(entity.Registered) entity.Activation { return runtimetest.FailedActivation("SyntaxError") }
		_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
		mustFault(t, err, fault.Failed, "SyntaxError")
		if keys := w.store.Keys(); len(keys) > 0 || len(w.compute.All()) != 1 {
			t.Errorf("objects %v, actions %v", keys, w.compute.All())
		}
		w.editLithops(t, "")
		w.compute.Run = nil
		if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
			t.Fatal(err)
		}
		w.checkUsable(t, image, 256)
	})
}

func TestDeployReportsHostPython(t *testing.T) {
	w := newWorld(t)
	w.Target.HostPython = true
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"}); err != nil {
		t.Fatal(err)
	}
	a := w.compute.All()[pkg+"/"+w.action(defaultImage, 256)]
	if !strings.Contains(w.observer.text(), "Python installation on this machine (/usr/bin/python3), not the image") || a.Notes[entity.NoteInterpreter] != "/usr/bin/python3" {
		t.Errorf("got messages %q, action %+v", w.observer.text(), a)
	}
}

func TestInterruptedDeployCleansUp(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w.compute.CallDuration = time.Hour
		w.compute.Hook = func(request string, after bool) error {
			if strings.HasPrefix(request, "POST runtime") && after {
				cancel()
			}
			return nil
		}
		_, err := w.Deploy(ctx, runtime.DeployRequest{Name: "default"})
		mustFault(t, err, fault.Interrupted, "Rerun the command; it resumes where it stopped.")
		w.checkEmpty(t)
	})
}

func TestDeployRejectsInvalidInput(t *testing.T) {
	for name, req := range map[string]runtime.DeployRequest{
		"capitals":         {Name: "Me/Img"},
		"all":              {Name: "all"},
		"empty":            {Name: ""},
		"memory":           {Name: "default", MemoryMB: []int{256, -1}},
		"timeout":          {Name: "default", TimeoutS: -5},
		"no default image": {Name: "default", Python: "3.14"},
		"too long":         {Name: "me/" + strings.Repeat("a", 250)},
		"pin unknown":      {Name: "me/img", Pin: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.Deploy(t.Context(), req)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Recovery.IsZero() {
				t.Errorf("error %v", err)
			}
			if len(w.requests()) > 0 && name != "pin unknown" {
				t.Errorf("requests %v", w.requests())
			}
			w.checkEmpty(t)
		})
	}
}

func TestDryRunInAnEmptyAccount(t *testing.T) {
	w := newWorld(t)
	w.compute.Missing = true
	w.store.RemoveBucket()
	plan, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default", DryRun: true})
	if err != nil || w.writes() > 0 {
		t.Fatalf("%v, requests %v", err, w.requests())
	}
	real, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Items) != len(real.Items) {
		t.Fatalf("plan %+v\nreal %+v", plan.Items, real.Items)
	}
	for i, it := range plan.Items {
		if done := real.Items[i]; it.Kind != done.Kind || it.Change != done.Change || it.Name != done.Name || it.Status != runtime.Planned || done.Status != runtime.Done {
			t.Errorf("plan %+v, real %+v", it, done)
		}
	}
	w.checkUsable(t, defaultImage, 256)
}
