package runtime_test

import (
	"context"
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

// fakeRegistry is an Images with the digests of some tags. Requests for other tags fail.
type fakeRegistry struct {
	mu      sync.Mutex
	digests map[string]string
}

func (r *fakeRegistry) Build(context.Context, entity.ImageBuild, io.Writer) (entity.ImageBuilt, error) {
	return entity.ImageBuilt{}, fault.New(fault.Internal, i18n.M("Injected."), i18n.Message{})
}

func (r *fakeRegistry) Digest(_ context.Context, image string, _ bool) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, sha, ok := strings.Cut(image, ":sha-"); ok { // every image has its fixed tag
		return "sha256:" + strings.Repeat(sha[:1], 64), nil // test digests consist of one repeated character
	}
	if d := r.digests[image]; d != "" {
		return d, nil
	}
	return "", fault.New(fault.Unavailable, i18n.M("The registry cannot be reached."), i18n.M("Check the network."))
}

func (r *fakeRegistry) Fingerprint(context.Context, entity.ImageBuild) (string, error) {
	return "", nil
}

func (*fakeRegistry) Superseded(context.Context) ([]entity.SupersededImage, error) { return nil, nil }

func (*fakeRegistry) Remove(context.Context, entity.SupersededImage) error { return nil }

func (r *fakeRegistry) point(image, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.digests[image] = digest
}

const (
	tagged = "docker.io/me/runtime:1"
	first  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	second = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// deployAndMoveTag deploys an image, moves its tag, and checks that list and show report the drift.
func deployAndMoveTag(t *testing.T, pin bool) (*world, *fakeRegistry) {
	t.Helper()
	w, r := newWorld(t), &fakeRegistry{digests: map[string]string{tagged: first}}
	w.Images = r
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1", Pin: pin}); err != nil {
		t.Fatal(err)
	}
	w.checkUsable(t, tagged, 256)
	if got := onlyRuntime(t, w); got.State != runtime.Ready || got.Digest != first || got.Name != tagged {
		t.Errorf("before the tag moves: %+v", got)
	}
	r.point(tagged, second)
	want := "The tag now points to another image."
	if pin {
		want = "It is pinned, but the tag now points to another image. To use that image, run 'ibmcloud fn-runtime deploy " + tagged + " --pin'."
	}
	if got := onlyRuntime(t, w); got.State != runtime.Outdated || got.Reason.String() != want {
		t.Errorf("the list does not see the drift: %+v", got)
	}
	details, err := w.Show(t.Context(), runtime.ShowRequest{Name: "me/runtime:1"})
	if err != nil || len(details) != 1 {
		t.Fatal(details, err)
	}
	if d := details[0]; d.DigestCurrent != second || d.Digest != first || !containsText(d.Drift, want) {
		t.Errorf("show does not see the drift: %+v", d)
	}
	return w, r
}

func onlyRuntime(t *testing.T, w *world) runtime.Runtime {
	t.Helper()
	list, err := w.List(t.Context(), runtime.ListRequest{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

func containsText(list []i18n.Message, text string) bool {
	return slices.ContainsFunc(list, func(m i18n.Message) bool { return m.String() == text })
}

func TestTagDrift(t *testing.T) {
	w, r := deployAndMoveTag(t, false)
	result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1"})
	if err != nil || item(t, result, runtime.KindRuntime).Change != runtime.Update {
		t.Errorf("the next deploy does not follow the tag: %+v %v", result, err)
	}
	if got := onlyRuntime(t, w); got.State != runtime.Ready || got.Digest != second || got.Image != tagged {
		t.Errorf("after it: %+v", got)
	}
	r.digests = nil // unreachable
	if got := onlyRuntime(t, w); got.State != runtime.Ready {
		t.Errorf("a registry out of reach counts as drift: %+v", got)
	}
	result, err = w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1"})
	if err != nil || item(t, result, runtime.KindRuntime).Change != runtime.Unchanged {
		t.Errorf("a registry out of reach matters to deploy: %+v %v", result, err)
	}
}

func TestPinnedRuntimeIsUnchangedUntilItIsPinnedAgain(t *testing.T) {
	w, _ := deployAndMoveTag(t, true)
	runs := func() string {
		return w.compute.All()[pkg+"/"+w.action(tagged, 256)].Reference
	}
	if runs() != "docker.io/me/runtime:sha-111111111111" {
		t.Errorf("it runs %q", runs())
	}
	result, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all"})
	if it := item(t, result, runtime.KindRuntime); err != nil || it.Change != runtime.Unchanged || !strings.Contains(it.Reason.String(), "--pin") {
		t.Errorf("update does not report why it changes nothing: %+v %v", it, err)
	}
	w.editLithops(t, "# changed\n")
	if _, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all"}); err != nil || runs() != "docker.io/me/runtime:sha-111111111111" {
		t.Errorf("update moved it to %q: %v", runs(), err)
	}
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1", Pin: true}); err != nil || runs() != "docker.io/me/runtime:sha-222222222222" {
		t.Errorf("deploy --pin left it at %q: %v", runs(), err)
	}
	w.checkUsable(t, tagged, 256)
}

func TestPinRequiresTheRegistry(t *testing.T) {
	w := newWorld(t)
	w.Images = &fakeRegistry{}
	_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1", Pin: true})
	mustFault(t, err, fault.Unavailable, "cannot be reached", "Check the network")
	w.Images = nil
	_, err = w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1", Pin: true})
	mustFault(t, err, fault.Invalid, "cannot be pinned", "Do not pin it")
	for name := range w.compute.All() {
		if strings.Contains(name, "me_runtime") {
			t.Errorf("%s was deployed", name)
		}
	}
}

// A rollback runs the previous image under its fixed tag. The next rollback undoes it.
func TestRollback(t *testing.T) {
	w, _ := deployAndMoveTag(t, false)
	_, err := w.Rollback(t.Context(), runtime.RollbackRequest{Name: "me/runtime:1"})
	mustFault(t, err, fault.NotFound, "deploy IMAGE")
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1"}); err != nil {
		t.Fatal(err)
	}
	plan, err := w.Rollback(t.Context(), runtime.RollbackRequest{Name: "me/runtime:1", DryRun: true})
	if it := item(t, plan, runtime.KindRuntime); err != nil || it.Change != runtime.Update || !strings.Contains(it.Reason.String(), "Digest: sha256:222222222222 -> sha256:111111111111.") {
		t.Errorf("the plan: %+v, %v", it, err)
	}
	for _, want := range []string{first, second} {
		if _, err := w.Rollback(t.Context(), runtime.RollbackRequest{Name: "me/runtime:1"}); err != nil {
			t.Fatal(err)
		}
		if got := onlyRuntime(t, w); got.Digest != want {
			t.Errorf("after a rollback: %s, want %s", got.Digest, want)
		}
		w.checkUsable(t, tagged, 256)
	}
	_, err = w.Rollback(t.Context(), runtime.RollbackRequest{Name: "me/other:1"})
	mustFault(t, err, fault.NotFound, "")
}
