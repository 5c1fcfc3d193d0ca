package runtime_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/site"
)

// replacedRuntime returns a runtime that the Lithops command 'runtime update' registered after its deployment. Its
// notes are kept, because OpenWhisk merges annotations, and its metadata lacks the timeout.
func replacedRuntime(t *testing.T) (w *world, id entity.ID) {
	t.Helper()
	w = newWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
		t.Fatal(err)
	}
	image := "docker.io/me/img:1"
	id, key := w.Contract.Runtime(image, 256)
	w.compute.Replace(id)
	w.store.Set(key, []byte(`{"preinstalls": [], "python_version": "3.11", "lithops_version": "3.7.0"}`), w.compute.Now())
	return w, id
}

const lacks = "Its metadata does not contain the timeout, so the client's next job fails."

// runtimesCheck returns the result of the check "runtimes" of doctor.
func runtimesCheck(t *testing.T, w *world, repair bool) check.Check {
	t.Helper()
	checks, err := w.Doctor(t.Context(), repair)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(checks, func(c check.Check) bool { return c.Name == "runtimes" })
	if at < 0 {
		t.Fatal("doctor does not look at the runtimes")
	}
	return checks[at]
}

func TestDoctorReportsRuntimesThatAreNotReady(t *testing.T) {
	for state, damage := range map[runtime.State]func(*world, string){
		runtime.NoMetadata:     func(w *world, key string) { _ = w.store.Delete(context.Background(), key) },
		runtime.PythonMismatch: func(w *world, _ string) { w.Install.Python = "3.9" },
		runtime.Ready:          func(*world, string) {},
	} {
		w := newWorld(t)
		if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
			t.Fatal(err)
		}
		_, key := w.Contract.Runtime("docker.io/me/img:1", 256)
		damage(w, key)
		listed, said := onlyRuntime(t, w), runtimesCheck(t, w, false)
		want, finding := check.Warning, "1 runtime is not ready: docker.io/me/img:1. "+listed.Reason.String()
		if state == runtime.Ready {
			want, finding = check.OK, "1 runtime of this client is deployed."
		}
		if listed.State != state || said.Status != want || said.Finding.String() != finding {
			t.Errorf("list reports %s, doctor %s %q; want %s and %s %q", listed.State, said.Status, said.Finding, state, want, finding)
		}
	}
}

func TestListShowAndDoctorAgreeOnReplacedRuntimes(t *testing.T) {
	w, _ := replacedRuntime(t)
	if got := onlyRuntime(t, w); got.State != runtime.Outdated || got.Reason.String() != lacks {
		t.Errorf("list: got %s %q, want outdated %q", got.State, got.Reason, lacks)
	}
	details, err := w.Show(t.Context(), runtime.ShowRequest{Name: "me/img:1"})
	if err != nil || details[0].State != runtime.Outdated || details[0].Reason.String() != lacks || !containsText(details[0].Drift, site.ReplacedReason().String()) {
		t.Errorf("show: got %+v, %v", details, err)
	}
	if c, want := runtimesCheck(t, w, false), "1 runtime is not ready: docker.io/me/img:1. "+lacks; c.Status != check.Failed || c.Finding.String() != want {
		t.Errorf("doctor: got %s %q, want failed %q", c.Status, c.Finding, want)
	}
	if c := runtimesCheck(t, w, true); c.Status != check.Repaired {
		t.Errorf("doctor --repair: got %s %s, want repaired", c.Status, c.Finding)
	}
	if got := onlyRuntime(t, w); got.State != runtime.Ready {
		t.Errorf("after the repair: got %s %q, want ready", got.State, got.Reason)
	}
	if c := runtimesCheck(t, w, false); c.Status != check.OK {
		t.Errorf("after the repair doctor reports %s %s, want ok", c.Status, c.Finding)
	}
	w.checkUsable(t, "docker.io/me/img:1", 256)
}

func TestForeignCodeIsDetected(t *testing.T) {
	w := newWorld(t)
	deploy := func() runtime.Item {
		result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
		if err != nil {
			t.Fatal(err)
		}
		return item(t, result, runtime.KindRuntime)
	}
	deploy()
	id, _ := w.Contract.Runtime("docker.io/me/img:1", 256)
	w.compute.Replace(id)
	want := site.ReplacedReason().String()
	if got := onlyRuntime(t, w); got.State != runtime.Outdated || got.Reason.String() != want {
		t.Errorf("list: got %s %q, want outdated %q", got.State, got.Reason, want)
	}
	if it := deploy(); it.Change != runtime.Update || it.Reason.String() != want {
		t.Errorf("deploy: got %s %q, want update %q", it.Change, it.Reason, want)
	}
	if it := deploy(); it.Change != runtime.Unchanged || onlyRuntime(t, w).State != runtime.Ready {
		t.Errorf("the deployment after it: got %s, want unchanged", it.Change)
	}
}

// Runtimes of a release without revisions in its notes count as unmodified.
func TestNotesWithoutRevisionAreTrusted(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
		t.Fatal(err)
	}
	id, key := w.Contract.Runtime("docker.io/me/img:1", 256)
	old := w.compute.All()[id.String()]
	delete(old.Notes, entity.NoteRevision)
	w.compute.Put(old)
	if got := onlyRuntime(t, w); got.State != runtime.Ready {
		t.Errorf("list: got %s %q, want ready", got.State, got.Reason)
	}
	result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
	if it := item(t, result, runtime.KindRuntime); err != nil || it.Change != runtime.Unchanged {
		t.Errorf("deploy: got %s %q (%v), want unchanged", it.Change, it.Reason, err)
	}
	// But metadata stored by another tool means that the tool may have registered the runtime too.
	var md map[string]any
	data, _ := w.store.Get(t.Context(), key)
	_ = json.Unmarshal(data, &md)
	delete(md, "fn_runtime_proof")
	data, _ = json.Marshal(md)
	w.store.Set(key, data, w.compute.Now())
	result, err = w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
	if it := item(t, result, runtime.KindRuntime); err != nil || it.Change != runtime.Update {
		t.Errorf("deploy over another tool's metadata: got %s (%v), want update", it.Change, err)
	}
}

// An OpenWhisk that drops the digest of an image would run its latest version. The runtime is deleted again.
func TestServiceThatDropsTheDigestIsAnError(t *testing.T) {
	w := newWorld(t)
	w.Target.Backend = runtime.BackendIBMCF
	w.compute.NoDigests = true
	w.Images = &fakeRegistry{digests: map[string]string{tagged: first}}
	_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/runtime:1", Pin: true})
	mustFault(t, err, fault.Failed, "runs docker.io/me/runtime.", "--pin")
	w.checkEmpty(t)
}
