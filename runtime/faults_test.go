package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/runtimetest"
)

// Each request fails in turn, before or after it was processed. The next run without faults ends in the correct state.
func TestDeployRecoversFromAFaultAtAnyRequest(t *testing.T) {
	faultAtEveryRequest(t, func(w *world) error {
		_, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{256, 512}})
		return err
	}, func(w *world) {}, func(t *testing.T, w *world) {
		w.checkUsable(t, "docker.io/me/img:1", 256)
		w.checkUsable(t, "docker.io/me/img:1", 512)
	})
}

func TestRedeployRecoversFromAFaultAtAnyRequest(t *testing.T) {
	deploy := func(w *world) error {
		_, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/img:1"})
		return err
	}
	var mu sync.Mutex
	proved := any(nil) // code that ran last
	faultAtEveryRequest(t, deploy, func(w *world) {
		w.compute.Run = func(a entity.Registered) entity.Activation {
			mu.Lock()
			defer mu.Unlock()
			proved = a.Notes["fn-runtime-bundle"]
			return runtimetest.MetadataActivation("3.11", "3.7.0")
		}
		if err := deploy(w); err != nil {
			t.Fatal(err)
		}
		w.editLithops(t, "changed = 1")
	}, func(t *testing.T, w *world) {
		w.checkUsable(t, "docker.io/me/img:1", 256)
		if a := w.compute.All()[pkg+"/"+w.action("docker.io/me/img:1", 256)]; a.Notes["fn-runtime-bundle"] != proved {
			t.Errorf("the deployed code has never run")
		}
		if again, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/img:1"}); err != nil || again.Changed() {
			t.Errorf("not settled: %v %+v", err, again.Items)
		}
	})
}

// faultAtEveryRequest runs an operation once for each of its requests, kinds of fault, and points in time. It lets that
// request fail, reruns the operation without faults, and checks the state.
func faultAtEveryRequest(t *testing.T, operation func(*world) error, prepare func(*world), check func(*testing.T, *world)) {
	t.Helper()
	tried := 0
	for _, kind := range []fault.Kind{fault.Unavailable, fault.Timeout, fault.Throttled} {
		for _, late := range []bool{false, true} {
			for n := 0; ; n++ {
				w := newWorld(t)
				prepare(w)
				w.resetRequests()
				var mu sync.Mutex
				count, hit := 0, ""
				hook := func(request string, after bool) error {
					if after != late {
						return nil
					}
					mu.Lock()
					defer mu.Unlock()
					count++
					if count == n+1 {
						hit = request
						return fault.New(kind, i18n.M("Injected."), i18n.M("Try again."))
					}
					return nil
				}
				w.compute.Hook, w.store.Hook = hook, hook
				first := operation(w)
				if hit == "" {
					if first != nil {
						t.Fatalf("undisturbed run: %v", first)
					}
					break
				}
				tried++
				w.compute.Hook, w.store.Hook = nil, nil
				checkNoOrphans(t, w, fmt.Sprintf("after %s at %q (late %v)", kind, hit, late))
				if err := operation(w); err != nil && !fault.Is(err, fault.NotFound) {
					t.Errorf("%s at %q (late %v): the next run fails: %v", kind, hit, late, err)
				}
				check(t, w)
				if t.Failed() {
					t.Fatalf("%s at %q (late %v), first error %v", kind, hit, late, first)
				}
			}
		}
	}
	t.Logf("%d faults tried", tried)
}

// checkNoOrphans fails the test if there is metadata without a runtime, because the client would hang.
func checkNoOrphans(t *testing.T, w *world, when string) {
	t.Helper()
	known := map[string]bool{}
	for _, a := range w.compute.All() {
		known[w.Contract.MetadataKey(a.ID.Name)] = true
	}
	for _, key := range w.store.Keys() {
		if strings.HasPrefix(key, "lithops.runtimes/openwhisk/") && !known[key] {
			t.Errorf("%s: metadata without action: %s", when, key)
		}
	}
}

func TestTwentyConcurrentDeploys(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	w.checkUsable(t, defaultImage, 256)
}

func TestConcurrentDeployAndDelete(t *testing.T) {
	for range 12 {
		w := newWorld(t)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"}) })
			wg.Go(func() { _, _ = w.Delete(t.Context(), runtime.DeleteRequest{Name: "default"}) })
		}
		wg.Wait()
		checkNoOrphans(t, w, "after the race")
	}
}
