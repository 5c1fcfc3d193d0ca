package runtime_test

import (
	"strings"
	"testing"

	"fn-runtime/runtime"
)

// What was deployed for other releases goes, but for those that are to stay; what the client uses is not touched.
func TestPruneRemovesOtherReleases(t *testing.T) {
	w := deployed(t)
	plan, err := w.Prune(t.Context(), runtime.PruneRequest{DryRun: true})
	if err != nil || len(plan.Items) == 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	for _, it := range plan.Items {
		if it.Change != runtime.Delete || !strings.Contains(it.Name, "3.6.0") && !strings.Contains(it.Name, "2.6.0") {
			t.Errorf("planned: %s %s", it.Change, it.Name)
		}
	}
	for _, tc := range []struct {
		keep []string
		want string // the releases that are left
	}{{[]string{"3.6.0"}, "3.6.0 3.7.0"}, {nil, "3.7.0"}, {nil, "3.7.0"}} {
		before, err := w.List(t.Context(), runtime.ListRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Prune(t.Context(), runtime.PruneRequest{Keep: tc.keep}); err != nil {
			t.Error(err)
		}
		left, err := w.List(t.Context(), runtime.ListRequest{})
		if err != nil {
			t.Fatal(err)
		}
		count := func(list []runtime.Runtime, version string) (n int) {
			for _, r := range list {
				if r.LithopsVersion == version {
					n++
				}
			}
			return n
		}
		for _, version := range []string{"2.6.0", "3.6.0", "3.7.0"} {
			want := 0
			if strings.Contains(tc.want, version) {
				want = count(before, version)
			}
			if got := count(left, version); got != want {
				t.Errorf("keeping %q: %d of Lithops %s are left, want %d", tc.keep, got, version, want)
			}
		}
	}
}
