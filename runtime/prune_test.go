package runtime_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// Runtimes of other releases are deleted unless they are kept explicitly. Runtimes of the client are not touched.
func TestPruneDeletesOtherReleases(t *testing.T) {
	w := newDeployedWorld(t)
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
		want string // remaining releases
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

// On request, superseded images in the engine are deleted unless a runtime uses them by digest or by fixed tag. Without
// the request the engine is not called.
func TestPruneDeletesSupersededImages(t *testing.T) {
	w := newWorld(t)
	docker := &fakeEngine{digests: map[string]string{"docker.io/me/img:1": digestOf(1), "docker.io/me/pinned:1": digestOf(2)}}
	w.Images = docker
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/pinned:1", Pin: true}); err != nil {
		t.Fatal(err)
	}
	docker.old = []entity.SupersededImage{
		{Image: "docker.io/me/img:1", ID: "sha256:0000000000001234", Digests: []string{digestOf(1)}},
		{Image: "docker.io/me/img:1", ID: "sha256:1111111111111234", Digests: []string{digestOf(7)}},
		{Image: "docker.io/me/img:1", ID: "sha256:2222222222221234"},
		{Image: "docker.io/me/pinned:1", ID: "sha256:3333333333331234", Tags: []string{entity.FixedTag("docker.io/me/pinned:1", digestOf(2))}},
		{Image: "docker.io/me/pinned:1", ID: "sha256:4444444444441234", Tags: []string{entity.FixedTag("docker.io/me/pinned:1", digestOf(3))}},
	}
	want := []string{"docker.io/me/img:1 (111111111111)", "docker.io/me/img:1 (222222222222)", "docker.io/me/pinned:1 (444444444444)"}
	for _, req := range []runtime.PruneRequest{{}, {Images: true, DryRun: true}, {Images: true, Confirm: func(runtime.Result) (bool, error) { return false, nil }}} {
		r, err := w.Prune(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, it := range r.Items {
			got = append(got, it.Name)
		}
		if !req.Images {
			if len(got) > 0 {
				t.Errorf("%q was not requested", got)
			}
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("planned (-want +got):\n%s", diff)
		}
		if len(docker.old) != 5 {
			t.Errorf("%+v has removed images", req)
		}
	}
	if _, err := w.Prune(t.Context(), runtime.PruneRequest{Images: true}); err != nil || len(docker.old) != 2 {
		t.Errorf("left: %+v, %v", docker.old, err)
	}
	docker.fail = fault.New(fault.Unavailable, i18n.M("No container engine is reachable from this machine."), i18n.M("Start one."))
	if _, err := w.Prune(t.Context(), runtime.PruneRequest{Images: true}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without an engine: %v", err)
	}
	if _, err := w.Prune(t.Context(), runtime.PruneRequest{}); err != nil {
		t.Errorf("the engine was called: %v", err)
	}
}
