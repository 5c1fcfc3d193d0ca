package runtime_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// fakeEngine is an Images that counts builds. Each build has another digest, like a build without a cache.
type fakeEngine struct {
	builds  []string
	source  string
	fail    error
	digests map[string]string
	mu      sync.Mutex // images are removed concurrently
	old     []entity.SupersededImage
}

func (e *fakeEngine) Build(_ context.Context, b entity.ImageBuild, _ io.Writer) (entity.ImageBuilt, error) {
	e.builds = append(e.builds, b.Image)
	return entity.ImageBuilt{ID: "sha256:id", Digest: digestOf(len(e.builds)), Python: "3.11"}, e.fail
}

func digestOf(n int) string { return "sha256:" + strings.Repeat(string(rune('a'+n)), 64) }

func (e *fakeEngine) Digest(_ context.Context, image string, _ bool) (string, error) {
	if _, sha, ok := strings.Cut(image, ":sha-"); ok { // every image has its fixed tag
		return "sha256:" + strings.Repeat(sha[:1], 64), nil // test digests consist of one repeated character
	}
	if d, ok := e.digests[image]; ok {
		return d, nil
	}
	return "", fault.New(fault.NotFound, i18n.M("No such image."), i18n.Message{})
}

func (e *fakeEngine) Fingerprint(context.Context, entity.ImageBuild) (string, error) {
	return e.source, nil
}

func (e *fakeEngine) Superseded(context.Context) ([]entity.SupersededImage, error) {
	return slices.Clone(e.old), e.fail
}

func (e *fakeEngine) Remove(_ context.Context, old entity.SupersededImage) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.old = slices.DeleteFunc(e.old, func(one entity.SupersededImage) bool { return one.ID == old.ID })
	return nil
}

func applyRequest() runtime.ApplyRequest {
	return runtime.ApplyRequest{Output: io.Discard, Runtimes: []runtime.Declaration{
		{Name: "default"},
		{Name: "me/img:1", MemoryMB: []int{256, 512}, TimeoutS: 60},
		{Name: "me/built:1", Pin: true, Build: &runtime.BuildRequest{Image: "me/built:1", Context: "."}},
	}}
}

func TestApplyReconcilesTheList(t *testing.T) {
	w := newWorld(t)
	e := &fakeEngine{source: "one"}
	w.Images = e
	ctx := t.Context()

	plan, err := w.Apply(ctx, func() runtime.ApplyRequest { r := applyRequest(); r.DryRun = true; return r }())
	if err != nil || w.writes() > 0 || len(e.builds) > 0 {
		t.Fatalf("dry run: %v, %v, built %v", err, w.requests(), e.builds)
	}
	first, err := w.Apply(ctx, applyRequest())
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Items) != len(first.Items) {
		t.Fatalf("planned %d, done %d", len(plan.Items), len(first.Items))
	}
	for i := range plan.Items {
		if p, f := plan.Items[i], first.Items[i]; p.Change != f.Change || p.Kind != f.Kind || p.Name != f.Name || f.Status != runtime.Done {
			t.Errorf("planned %+v, done %+v", p, f)
		}
	}
	w.checkUsable(t, defaultImage, 256)
	w.checkUsable(t, "docker.io/me/img:1", 256)
	w.checkUsable(t, "docker.io/me/img:1", 512)
	w.checkUsable(t, "docker.io/me/built:1", 256)
	action := w.compute.All()[pkg+"/"+w.action("docker.io/me/built:1", 256)]
	if action.Reference != entity.FixedTag("docker.io/me/built", digestOf(1)) || len(e.builds) != 1 {
		t.Errorf("runs %s, built %v", action.Reference, e.builds)
	}

	w.resetRequests()
	again, err := w.Apply(ctx, applyRequest())
	if err != nil || again.Changed() || w.writes() > 0 || len(e.builds) != 1 {
		t.Errorf("second run: %v, %v, built %v, %+v", err, w.requests(), e.builds, again.Items)
	}

	e.source = "two"
	if _, err := w.Apply(ctx, applyRequest()); err != nil {
		t.Fatal(err)
	}
	action = w.compute.All()[pkg+"/"+w.action("docker.io/me/built:1", 256)]
	if action.Reference != entity.FixedTag("docker.io/me/built", digestOf(2)) || len(e.builds) != 2 {
		t.Errorf("after a change of the directory it runs %s, built %v", action.Reference, e.builds)
	}
	w.resetRequests()
	if third, err := w.Apply(ctx, applyRequest()); err != nil || third.Changed() || w.writes() > 0 {
		t.Errorf("third run: %v, %+v", err, third.Items)
	}
	// Updates by other commands keep the notes of apply.
	w.editLithops(t, "x = 2")
	if _, err := w.Update(ctx, runtime.UpdateRequest{Name: "all"}); err != nil {
		t.Fatal(err)
	}
	if fourth, err := w.Apply(ctx, applyRequest()); err != nil || fourth.Changed() || len(e.builds) != 2 {
		t.Errorf("after update: %v, built %v, %+v", err, e.builds, fourth.Items)
	}
}

func TestApplyFollowsChangedDeclarations(t *testing.T) {
	w := newWorld(t)
	w.Images = &fakeEngine{digests: map[string]string{"docker.io/me/img:1": digestOf(7)}}
	one := func(d runtime.Declaration) runtime.Result {
		t.Helper()
		r, err := w.Apply(t.Context(), runtime.ApplyRequest{Runtimes: []runtime.Declaration{d}})
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.Apply(t.Context(), runtime.ApplyRequest{Runtimes: []runtime.Declaration{d}}); err != nil || again.Changed() {
			t.Errorf("%+v: not settled: %v %+v", d, err, again.Items)
		}
		return r
	}
	one(runtime.Declaration{Name: "me/img:1", TimeoutS: 60})
	one(runtime.Declaration{Name: "me/img:1", TimeoutS: 90})
	key := pkg + "/" + w.action("docker.io/me/img:1", 256)
	if a := w.compute.All()[key]; a.TimeoutMS != 90_000 || a.Reference != "docker.io/me/img:1" {
		t.Errorf("got %+v, want docker.io/me/img:1 with 90 s", a)
	}
	one(runtime.Declaration{Name: "me/img:1", TimeoutS: 90, Pin: true})
	if a := w.compute.All()[key]; a.Reference != entity.FixedTag("docker.io/me/img", digestOf(7)) {
		t.Errorf("got %+v, want the fixed tag %s", a, entity.FixedTag("docker.io/me/img", digestOf(7)))
	}
	one(runtime.Declaration{Name: "me/img:1", TimeoutS: 90})
	if a := w.compute.All()[key]; a.Reference != "docker.io/me/img:1" {
		t.Errorf("got %+v, want docker.io/me/img:1", a)
	}
}

func TestPruneDeletesUndeclaredRuntimes(t *testing.T) {
	w := newDeployedWorld(t)
	w.Images = &fakeEngine{source: "one"}
	asked := 0
	req := runtime.ApplyRequest{Prune: true, Runtimes: []runtime.Declaration{{Name: "default"}, {Name: "me/my_img:0.1"}}}
	req.Confirm = func(plan runtime.Result) (bool, error) { asked++; return false, nil }
	if r, err := w.Apply(t.Context(), req); err != nil || w.writes() > 0 || asked != 1 || r.Items[0].Status != runtime.Skipped {
		t.Fatalf("after a rejected confirmation: %v, asked %d times, %v", err, asked, w.requests())
	}
	req.Confirm = nil
	if _, err := w.Apply(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	list, err := w.List(t.Context(), runtime.ListRequest{})
	if err != nil || len(list) != 2 || list[0].State != runtime.Ready || list[1].State != runtime.Ready {
		t.Errorf("%v %+v", err, list)
	}
	if all := w.compute.All(); all[pkg+"/hello"].Reference == "" || all["mine/img_256MB_3.7.0"].Reference == "" {
		t.Error("an action of another user was deleted")
	}
	w.resetRequests()
	if again, err := w.Apply(t.Context(), req); err != nil || again.Changed() || w.writes() > 0 {
		t.Errorf("second run: %v %v", err, w.requests())
	}
}

// A failed build stops the deployment of its own runtimes and all deletions, but nothing else.
func TestApplyWithAFailedBuild(t *testing.T) {
	w := newWorld(t)
	w.Images = &fakeEngine{source: "one", fail: fault.New(fault.Failed, i18n.M("The build failed."), i18n.M("Fix the Dockerfile."))}
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/old:1"}); err != nil {
		t.Fatal(err)
	}
	req := applyRequest()
	req.Prune = true
	r, err := w.Apply(t.Context(), req)
	mustFault(t, err, fault.Failed, "The build failed.")
	w.checkUsable(t, defaultImage, 256)
	w.checkUsable(t, "docker.io/me/img:1", 512)
	w.checkUsable(t, "docker.io/me/old:1", 256)
	for _, it := range r.Items {
		want := runtime.Done
		switch {
		case it.Kind == "image":
			want = runtime.Failed
		case strings.Contains(it.Image, "built"), it.Change == runtime.Delete:
			want = runtime.Skipped
		}
		if it.Status != want {
			t.Errorf("%+v, want %s", it, want)
		}
	}
}

func TestApplyReportsInvalidDeclarationsTogether(t *testing.T) {
	w := newWorld(t)
	wrapAt := func(at string) func(error) error {
		return func(err error) error { return errors.New(at + ": " + err.Error()) }
	}
	_, err := w.Apply(t.Context(), runtime.ApplyRequest{Runtimes: []runtime.Declaration{
		{Name: "me/A B", Wrap: wrapAt("f:2:3")}, {Name: "me/x:1", Wrap: wrapAt("f:3:3")}, {Name: "docker.io/me/x:1", Wrap: wrapAt("f:4:3")}, {Name: "me/y", TimeoutS: -1, Wrap: wrapAt("f:5:3")},
	}})
	if err == nil || len(w.requests()) > 0 {
		t.Fatalf("%v, %v", err, w.requests())
	}
	for _, at := range []string{"f:2:3", "f:4:3", "f:5:3"} {
		if !strings.Contains(err.Error(), at) {
			t.Errorf("%s is missing: %v", at, err)
		}
	}
	if strings.Contains(err.Error(), "f:3:3") {
		t.Error(err)
	}
}

func TestApplyRecoversFromAFaultAtAnyRequest(t *testing.T) {
	faultAtEveryRequest(t, func(w *world) error {
		w.Images = &fakeEngine{source: "one"}
		req := applyRequest()
		req.Prune = true
		_, err := w.Apply(context.Background(), req)
		return err
	}, func(w *world) {
		if _, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/old:1"}); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, w *world) {
		w.checkUsable(t, defaultImage, 256)
		w.checkUsable(t, "docker.io/me/img:1", 512)
		w.checkUsable(t, "docker.io/me/built:1", 256)
		if _, exists := w.compute.All()[pkg+"/"+w.action("docker.io/me/old:1", 256)]; exists {
			t.Error("an undeclared runtime still exists")
		}
	})
}

func TestUpdateRecoversFromAFaultAtAnyRequest(t *testing.T) {
	update := func(w *world) error {
		_, err := w.Update(context.Background(), runtime.UpdateRequest{Name: "all"})
		return err
	}
	faultAtEveryRequest(t, update, func(w *world) {
		if _, err := w.Deploy(context.Background(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{256, 512}, TimeoutS: 77}); err != nil {
			t.Fatal(err)
		}
		w.editLithops(t, "changed = 1")
	}, func(t *testing.T, w *world) {
		w.checkUsable(t, "docker.io/me/img:1", 256)
		w.checkUsable(t, "docker.io/me/img:1", 512)
		if again, err := w.Update(context.Background(), runtime.UpdateRequest{Name: "all"}); err != nil || again.Changed() {
			t.Errorf("not settled: %v %+v", err, again.Items)
		}
		object, _ := w.store.Get(context.Background(), w.key("docker.io/me/img:1", 512))
		if !strings.Contains(string(object), `"runtime_timeout": 77`) {
			t.Errorf("metadata lost its time limit: %s", object)
		}
	})
}

func TestForcedUpdateUpdatesEverything(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{256, 512}}); err != nil {
		t.Fatal(err)
	}
	w.resetRequests()
	r, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all", Force: true})
	puts := 0
	for _, request := range w.requests() {
		if strings.HasPrefix(request, "PUT runtime") {
			puts++
		}
	}
	if err != nil || puts != 2 || !r.Changed() {
		t.Errorf("%v, %d actions written: %v", err, puts, w.requests())
	}
	w.checkUsable(t, "docker.io/me/img:1", 512)
}

func TestPinnedRuntimeIsFoundByDigest(t *testing.T) {
	w := newWorld(t)
	w.Images = &fakeEngine{source: "one"}
	if _, err := w.Apply(t.Context(), applyRequest()); err != nil {
		t.Fatal(err)
	}
	_, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "me/built@" + digestOf(2)})
	mustFault(t, err, fault.NotFound, "me/built@"+digestOf(2))
	if _, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "me/built@" + digestOf(1)}); err != nil {
		t.Fatal(err)
	}
	if list, err := w.List(t.Context(), runtime.ListRequest{}); err != nil || len(list) != 3 {
		t.Errorf("%v, left %+v", err, list)
	}
}
