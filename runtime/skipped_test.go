package runtime_test

import (
	"strings"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
)

// Only dry runs leave items Planned. A real run marks items that it did not reach as Skipped.
func TestNothingStaysPlannedAfterARun(t *testing.T) {
	refuse := func(part string) func(string, bool) error {
		return func(request string, _ bool) error {
			if strings.Contains(request, part) {
				return fault.New(fault.Unavailable, i18n.M("Injected."), i18n.M("Try again."))
			}
			return nil
		}
	}
	for name, run := range map[string]func(w *world) (runtime.Result, error){
		"clean": func(w *world) (runtime.Result, error) {
			w.store.Hook = refuse("PURGE")
			return w.Clean(t.Context(), runtime.CleanRequest{})
		},
		"delete": func(w *world) (runtime.Result, error) {
			w.store.Hook = refuse("DELETE")
			return w.Delete(t.Context(), runtime.DeleteRequest{Name: "all"})
		},
		"deploy": func(w *world) (runtime.Result, error) {
			w.compute.Hook = refuse("PUT runtime")
			return w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/new:1", MemoryMB: []int{256, 512}})
		},
		"update": func(w *world) (runtime.Result, error) {
			w.editLithops(t, "x = 5")
			w.compute.Hook = refuse("PUT runtime")
			return w.Update(t.Context(), runtime.UpdateRequest{Name: "all"})
		},
		"apply": func(w *world) (runtime.Result, error) {
			w.compute.Hook = refuse("PUT runtime")
			return w.Apply(t.Context(), runtime.ApplyRequest{Prune: true, Runtimes: []runtime.Declaration{{Name: "me/new:1"}}})
		},
	} {
		w := newDeployedWorld(t)
		r, err := run(w)
		if err == nil || len(r.Items) == 0 {
			t.Errorf("%s: no error, %+v", name, r.Items)
		}
		skipped := 0
		for _, it := range r.Items {
			if it.Status == runtime.Planned {
				t.Errorf("%s: %s %s is still planned", name, it.Kind, it.Name)
			}
			if it.Status == runtime.Skipped {
				skipped++
			}
		}
		if skipped == 0 {
			t.Errorf("%s: nothing was skipped: %+v", name, r.Items)
		}
	}
}
