package runtime_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// newDeployedWorld returns a world with many kinds of runtimes: images with underscores, ports or no tag, two memory
// sizes, other Lithops versions, a runtime deployed by Lithops itself, actions of other users, and metadata without a
// runtime.
func newDeployedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for _, req := range []runtime.DeployRequest{
		{Name: "default"}, {Name: "me/my_img:0.1", MemoryMB: []int{256, 512}}, {Name: "localhost:5000/ns/img:1"},
	} {
		if _, err := w.Deploy(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	older := w.Contract
	older.Version = "3.6.0"
	w.deployWithLithops(t, older, "docker.io/me/my_img:0.1", 256)
	oldest := w.Contract
	oldest.Version = "2.6.0"
	w.deployWithLithops(t, oldest, "me/my_img:0.1", 256)
	w.deployWithLithops(t, w.Contract, "docker.io/me/native", 256)
	w.compute.Put(entity.Registered{ID: entity.ID{Group: pkg, Name: "hello"}, Reference: "node"})
	w.compute.Put(entity.Registered{ID: entity.ID{Group: "mine", Name: "img_256MB_3.7.0"}, Reference: "x"})
	w.store.Set(w.key("docker.io/me/gone:1", 256), []byte("{}"), time.Now())
	w.resetRequests()
	return w
}

// deployWithLithops deploys a runtime like Lithops itself: without annotations.
func (w *world) deployWithLithops(t *testing.T, c lithops.Contract, image string, memory int) {
	t.Helper()
	name := c.Action(image, memory)
	w.compute.Put(entity.Registered{ID: entity.ID{Group: c.Package(), Name: name}, Reference: image, MemoryMB: memory, TimeoutMS: 300_000})
	md, err := lithops.ParseMetadata([]byte(`{"preinstalls": [], "python_version": "3.11", "lithops_version": "` + c.Version + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	w.store.Set(c.MetadataKey(name), lithops.Encode(md, 300), time.Now())
}

func TestListReportsStates(t *testing.T) {
	w := newDeployedWorld(t)
	list, err := w.List(t.Context(), runtime.ListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprintf("%s %d %s %s", r.Name, r.MemoryMB, r.LithopsVersion, r.State))
	}
	want := []string{
		defaultImage + " 256 3.7.0 ready",
		"docker.io/me/my_img:0.1 256 3.6.0 version_mismatch",
		"docker.io/me/my_img:0.1 256 3.7.0 ready",
		"docker.io/me/my_img:0.1 512 3.7.0 ready",
		"docker.io/me/native 256 3.7.0 ready",
		"docker.io_me_gone_1_256MB_3.7.0 256 3.7.0 orphan_metadata",
		"localhost:5000/ns/img:1 256 3.7.0 ready",
		"me/my_img:0.1 256 2.6.0 version_mismatch",
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	w.editLithops(t, "x = 1")
	_ = w.store.Delete(t.Context(), w.key(defaultImage, 256))
	w.Install.Python = "3.12"
	states := map[string]runtime.State{}
	list, _ = w.List(t.Context(), runtime.ListRequest{})
	for _, r := range list {
		states[r.Name] = r.State
	}
	if states[defaultImage] != runtime.NoMetadata || states["localhost:5000/ns/img:1"] != runtime.PythonMismatch {
		t.Errorf("states %v", states)
	}
	w.Install.Python = "3.11"
	list, _ = w.List(t.Context(), runtime.ListRequest{Name: "my_img"})
	if len(list) != 4 || list[1].State != runtime.Outdated {
		t.Errorf("filtered: %+v", list)
	}
}

func TestRequestsOfListGrowWithPages(t *testing.T) {
	w := newWorld(t)
	for i := range 1000 {
		image := fmt.Sprintf("docker.io/me/img_%d", i)
		name := w.action(image, 256)
		w.compute.Put(entity.Registered{ID: entity.ID{Group: pkg, Name: name}, Reference: image, MemoryMB: 256, TimeoutMS: 1000,
			Notes: map[string]any{"fn-runtime-image": image, "fn-runtime-python": "3.11"}})
		w.store.Set(w.key(image, 256), []byte("{}"), time.Now())
	}
	list, err := w.List(t.Context(), runtime.ListRequest{})
	if err != nil || len(list) != 1000 {
		t.Fatalf("%d runtimes, %v", len(list), err)
	}
	// 6 pages of 200 actions (the last one empty), 1 of packages, 1 of 1000 keys, 1 for the older prefix
	if n := len(w.requests()); n > 9 {
		t.Errorf("%d requests: %v", n, w.requests())
	}
}

func TestDeleteAcceptsEveryFormOfName(t *testing.T) {
	for name, c := range map[string]struct {
		req  runtime.DeleteRequest
		want int // number of deleted actions and orphans
	}{
		"default":          {runtime.DeleteRequest{Name: "default"}, 1},
		"underscore":       {runtime.DeleteRequest{Name: "me/my_img:0.1"}, 4},
		"one memory":       {runtime.DeleteRequest{Name: "me/my_img:0.1", MemoryMB: []int{512}}, 1},
		"another version":  {runtime.DeleteRequest{Name: "me/my_img:0.1", LithopsVersion: "2.6.0"}, 1},
		"port":             {runtime.DeleteRequest{Name: "localhost:5000/ns/img:1"}, 1},
		"orphan":           {runtime.DeleteRequest{Name: "me/gone:1"}, 1},
		"without tag":      {runtime.DeleteRequest{Name: "me/native"}, 1},
		"all":              {runtime.DeleteRequest{Name: "all"}, 8},
		"all of a version": {runtime.DeleteRequest{Name: "all", LithopsVersion: "3.6.0"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDeployedWorld(t)
			before := 8
			asked := 0
			c.req.Confirm = func(plan runtime.Result) (bool, error) { asked++; return true, nil }
			if _, err := w.Delete(t.Context(), c.req); err != nil {
				t.Fatal(err)
			}
			list, err := w.List(t.Context(), runtime.ListRequest{})
			if err != nil || before-len(list) != c.want || asked != 1 {
				t.Errorf("%d were deleted (%v), want %d; asked %d times", before-len(list), err, c.want, asked)
			}
			for _, r := range list {
				if r.State == runtime.OrphanMetadata && r.ID.Name != w.action("docker.io/me/gone:1", 256) {
					t.Errorf("orphan left: %+v", r)
				}
			}
			if all := w.compute.All(); all[pkg+"/hello"].Reference == "" || all["mine/img_256MB_3.7.0"].Reference == "" {
				t.Error("an action of another user was deleted")
			}
		})
	}
	t.Run("nothing deployed", func(t *testing.T) {
		w := newDeployedWorld(t)
		_, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "me/other"})
		mustFault(t, err, fault.NotFound, "docker.io/me/other is not deployed", "docker.io/me/native, 256 MB")
	})
	t.Run("no", func(t *testing.T) {
		w := newDeployedWorld(t)
		r, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "all", Confirm: func(runtime.Result) (bool, error) { return false, nil }})
		if err != nil || w.writes() > 0 || r.Items[0].Status != runtime.Skipped {
			t.Errorf("%v %v", err, w.requests())
		}
	})
}

func TestDeleteReportsFailures(t *testing.T) {
	w := newDeployedWorld(t)
	w.compute.Hook = func(request string, after bool) error {
		if strings.HasPrefix(request, "DELETE runtime docker.io_me_my_img") && !after {
			return fault.New(fault.Unavailable, injected, injected)
		}
		return nil
	}
	r, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "all"})
	if err == nil {
		t.Fatal("no error")
	}
	failed, done := 0, 0
	for _, it := range r.Items {
		switch it.Status {
		case runtime.Failed:
			failed++
		case runtime.Done:
			done++
		}
	}
	if failed != 3 || done == 0 {
		t.Errorf("%d failed, %d done: %v", failed, done, err)
	}
	checkNoOrphans(t, w, "after a failed delete")
}

func TestDeleteRecoversFromAFaultAtAnyRequest(t *testing.T) {
	faultAtEveryRequest(t, func(w *world) error {
		_, err := w.Delete(context.Background(), runtime.DeleteRequest{Name: "me/img:1"})
		return err
	}, func(w *world) {
		if _, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{256, 512}}); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, w *world) { w.checkEmpty(t) })
}

func TestUpdateRegistersTheCurrentCode(t *testing.T) {
	w := newDeployedWorld(t)
	w.editLithops(t, "x = 2")
	plan, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all", DryRun: true})
	if err != nil || w.writes() > 0 {
		t.Fatalf("%v, %v", err, w.requests())
	}
	if _, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all"}); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, it := range plan.Items {
		if it.Kind == runtime.KindRuntime && it.Change == runtime.Update {
			changed++
		}
	}
	if changed != 5 {
		t.Errorf("%d updates planned: %+v", changed, plan.Items)
	}
	for _, c := range []struct {
		image  string
		memory int
	}{{defaultImage, 256}, {"docker.io/me/my_img:0.1", 256}, {"docker.io/me/my_img:0.1", 512}, {"docker.io/me/native", 256}, {"localhost:5000/ns/img:1", 256}} {
		w.checkUsable(t, c.image, c.memory)
	}
	w.resetRequests()
	again, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all"})
	if err != nil || again.Changed() || w.writes() > 0 {
		t.Errorf("second update: %v, %v", err, w.requests())
	}
	other := 0
	for _, it := range again.Items {
		if strings.Contains(it.Reason.String(), "Update it with that Lithops release") {
			other++
		}
	}
	if other != 2 {
		t.Errorf("%d runtimes of other versions reported", other)
	}
	if _, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "me/my_img:0.1", TimeoutS: 60}); err != nil {
		t.Fatal(err)
	}
	if a := w.compute.All()[pkg+"/"+w.action("docker.io/me/my_img:0.1", 512)]; a.TimeoutMS != 60_000 || a.MemoryMB != 512 {
		t.Errorf("got %+v, want 512 MB and 60 s", a)
	}
	_, err = w.Update(t.Context(), runtime.UpdateRequest{Name: "me/none"})
	mustFault(t, err, fault.NotFound, "not deployed")
}

// An update would break a runtime that works for clients of another Python version.
func TestUpdateSkipsRuntimesOfAnotherPython(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
		t.Fatal(err)
	}
	w.editLithops(t, "x = 2")
	w.Install.Python = "3.12"
	w.resetRequests()
	result, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all"})
	if err != nil || w.writes() > 0 {
		t.Fatalf("got %v and the requests %v, want none that writes", err, w.requests())
	}
	if it := item(t, result, runtime.KindRuntime); it.Status != runtime.Skipped || it.Reason.String() != "It runs Python 3.11; the client runs 3.12." {
		t.Errorf("got %s %q", it.Status, it.Reason)
	}
}

func TestShowExplainsDrift(t *testing.T) {
	w := newDeployedWorld(t)
	_ = w.Cache.WriteMetadata(w.key(defaultImage, 256), []byte(`{"old": 1}`))
	w.editLithops(t, "x = 3")
	details, err := w.Show(t.Context(), runtime.ShowRequest{Name: "default"})
	if err != nil || len(details) != 1 {
		t.Fatalf("%v %v", details, err)
	}
	d := details[0]
	var drift []string
	for _, m := range d.Drift {
		drift = append(drift, m.String())
	}
	text := strings.Join(drift, "\n")
	if d.CacheState != runtime.CacheStale || d.Image != defaultImage || d.State != runtime.Outdated ||
		!strings.Contains(text, "differs from the client's") || !strings.Contains(text, "the client reads the copy") {
		t.Errorf("%+v\n%s", d, text)
	}
	if !slices.Equal(d.Modules, []string{"numpy", "six"}) {
		t.Errorf("modules %v", d.Modules)
	}
}
