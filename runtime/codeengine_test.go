package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

const shared = "docker.io/me/img:1"

// newSharedWorld returns a client of Code Engine, where the memory sizes of an image share their metadata, with a
// registry that returns digests.
func newSharedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	contract := lithops.Contract{Backend: lithops.CodeEngine, Version: "3.7.0", UserKey: "abcd", Region: "eu-de", Namespace: "project"}
	w.compute = runtimetest.NewCompute(contract)
	w.Contract, w.Compute, w.Target.Backend = contract, w.compute, "code_engine"
	w.Settings = lithops.Compute{Backend: lithops.CodeEngine, RuntimeMemory: 256, RuntimeTimeout: 600, RuntimeMilliCPU: 125, DockerServer: "docker.io"}
	w.Images = &fakeRegistry{digests: map[string]string{shared: "sha256:" + strings.Repeat("a", 64)}}
	return w
}

func (w *world) calls() (n int) {
	for _, r := range w.compute.Requests() {
		if strings.HasPrefix(r, "POST") {
			n++
		}
	}
	return n
}

func (w *world) sharedKey() string {
	_, key := w.Contract.Runtime(shared, 256)
	return key
}

// A new memory size of a deployed image is not invoked because its metadata exists.
func TestNewMemorySizeReusesMetadata(t *testing.T) {
	for name, deploy := range map[string]func(w *world, mb int) error{
		"deploy": func(w *world, mb int) error {
			_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{mb}})
			return err
		},
		"apply": func(w *world, mb int) error {
			_, err := w.Apply(t.Context(), runtime.ApplyRequest{Runtimes: []runtime.Declaration{{Name: "me/img:1", MemoryMB: []int{mb}}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSharedWorld(t)
			for _, mb := range []int{256, 512, 2048} {
				if err := deploy(w, mb); err != nil {
					t.Fatal(err)
				}
			}
			if n := w.calls(); n != 1 {
				t.Errorf("%d calls for three memory sizes, want 1: %q", n, w.compute.Requests())
			}
			if keys := w.store.Keys(); !slices.Equal(keys, []string{w.sharedKey()}) {
				t.Errorf("the bucket has %q", keys)
			}
			for _, r := range w.compute.All() {
				if want := map[int]int{256: 125, 512: 125, 2048: 250}[r.MemoryMB]; r.MilliCPU != want {
					t.Errorf("with %d MB it has %d thousandths of a processor, want %d", r.MemoryMB, r.MilliCPU, want)
				}
			}
			list, err := w.List(t.Context(), runtime.ListRequest{})
			if err != nil || len(list) != 3 || list[1].State != site.Ready {
				t.Errorf("%+v, %v", list, err)
			}
			if warned := w.observer.text(); !strings.Contains(warned, "runtime_cpu: 0.25") {
				t.Errorf("no warning that the CPU of the client does not fit 2048 MB: %q", warned)
			}
		})
	}
}

// The client runs its jobs with the CPU of its configuration. Deploying another CPU causes a warning about the required
// setting, or that the client does not support it.
func TestWarningAboutTheCPUOfTheClient(t *testing.T) {
	for name, c := range map[string]struct {
		memory, milliCPU int
		want             string // "": no warning
	}{
		"the defaults of the client":       {256, 0, ""},
		"more memory":                      {2048, 0, "Set 'runtime_cpu: 0.25' and 'runtime_memory: 2048'"},
		"more processors":                  {512, 250, "Set 'runtime_cpu: 0.25' and 'runtime_memory: 512'"},
		"a pair that the client refuses":   {2048, 1000, "does not accept a 'runtime_cpu' of 1 with a 'runtime_memory' of 2048 MB"},
		"a memory that the client refuses": {20480, 0, "does not accept a 'runtime_cpu' of 10 with a 'runtime_memory' of 20480 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSharedWorld(t)
			if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{c.memory}, MilliCPU: c.milliCPU}); err != nil {
				t.Fatal(err)
			}
			if messages := w.observer.text(); !strings.Contains(messages, c.want) || c.want == "" && strings.Contains(messages, "runtime_cpu") {
				t.Errorf("got messages %q, want %q", messages, c.want)
			}
		})
	}
}

// With the metadata of one memory size, the client registers others itself. On an image without code, they do not work.
func TestMemorySizesRegisteredByTheClient(t *testing.T) {
	for image, want := range map[string]site.State{"docker.io/lithopscloud/openwhisk-python-v311": site.Outdated, shared: site.Ready} {
		w := newSharedWorld(t)
		if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: image}); err != nil {
			t.Fatal(err)
		}
		id, _ := w.Contract.Runtime(image, 512)
		w.compute.Put(entity.Registered{ID: id, Reference: image, MemoryMB: 512, MilliCPU: 125, TimeoutMS: 600_000})
		list, err := w.List(t.Context(), runtime.ListRequest{})
		if err != nil || len(list) != 2 || list[0].State != site.Ready || list[1].State != want {
			t.Fatalf("%s: %+v, %v; want 256 MB ready, 512 MB %s", image, list, err, want)
		}
		if _, err := w.Update(t.Context(), runtime.UpdateRequest{Name: "all"}); err != nil {
			t.Fatal(err)
		}
		if list, err = w.List(t.Context(), runtime.ListRequest{}); err != nil || len(list) != 2 || list[1].State != site.Ready {
			t.Errorf("%s: after an update %+v, %v", image, list, err)
		}
	}
}

// An image that contains its own code is invoked, even if another memory size with the client's code has metadata.
func TestImageWithCodeIsInvoked(t *testing.T) {
	w := newSharedWorld(t)
	for _, req := range []runtime.DeployRequest{{Name: "me/img:1"}, {Name: "me/img:1", MemoryMB: []int{512}, InImage: true}} {
		if _, err := w.Deploy(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.calls(); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

// A failure to delete unused resources is a warning and not an error, because the operation succeeded.
func TestFailureToDeleteUnusedIsAWarning(t *testing.T) {
	w := newSharedWorld(t)
	w.compute.Hook = func(request string, _ bool) error {
		if request == "CLEANUP" {
			trouble := fault.New(fault.Unavailable, i18n.M("The service has trouble."), i18n.Message{})
			return errors.Join(trouble, trouble) // for two config maps
		}
		return nil
	}
	_, deployed := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
	_, deleted := w.Delete(t.Context(), runtime.DeleteRequest{Name: "me/img:1"})
	messages := w.observer.text()
	want := "could not be deleted: The service has trouble. Delete it with 'ibmcloud fn-runtime doctor --repair'."
	if deployed != nil || deleted != nil || strings.Count(messages, want) != 2 {
		t.Errorf("%v, %v; got messages %q, want %q from each", deployed, deleted, messages, want)
	}
}

// A failed memory size does not affect the others.
func TestFailedMemorySizeDoesNotAffectOthers(t *testing.T) {
	w := newSharedWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"}); err != nil {
		t.Fatal(err)
	}
	w.Images = nil // so that the runtime is invoked
	w.compute.Run = func(entity.Registered) entity.Activation { return runtimetest.FailedActivation("ContainerExitedCode1") }
	_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{512}})
	mustFault(t, err, fault.Failed, "ContainerExitedCode1")
	if all, keys := w.compute.All(), w.store.Keys(); len(all) != 1 || !slices.Equal(keys, []string{w.sharedKey()}) {
		t.Errorf("runtimes %v, objects %q", all, keys)
	}
}

// Metadata is deleted with the last memory size.
func TestSharedMetadataIsDeletedWithTheLastMemorySize(t *testing.T) {
	w := newSharedWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1", MemoryMB: []int{256, 512}}); err != nil {
		t.Fatal(err)
	}
	for mb, want := range map[int]int{512: 1} {
		if _, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "me/img:1", MemoryMB: []int{mb}}); err != nil {
			t.Fatal(err)
		}
		if keys := w.store.Keys(); len(keys) != want {
			t.Errorf("after %d MB the bucket has %q", mb, keys)
		}
	}
	if _, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "me/img:1"}); err != nil {
		t.Fatal(err)
	}
	w.checkEmpty(t)
}

// The ID of a project is known only after its creation. Its deployments then use it in their names.
func TestNamesOfANewProject(t *testing.T) {
	w := newSharedWorld(t)
	w.compute.Missing = true
	w.Contract.Namespace = "PROJECT-ID"
	result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "me/img:1"})
	if err != nil {
		t.Fatal(err)
	}
	want := "lithops.runtimes/code_engine/3.7.0/eu-de/project/"
	if key := w.store.Keys(); len(key) != 1 || !strings.HasPrefix(key[0], want) || item(t, result, runtime.KindMetadata).Name != key[0] {
		t.Errorf("the bucket has %q, want one below %s; the item is %+v", key, want, item(t, result, runtime.KindMetadata))
	}
	if _, err := w.Cache.ReadMetadata(w.store.Keys()[0]); err != nil {
		t.Error(err)
	}
}

// The client has no public default image, so deploying one causes a warning to configure it.
func TestDeployingDefaultWarnsIfNotConfigured(t *testing.T) {
	w := newSharedWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"}); err != nil {
		t.Fatal(err)
	}
	if messages := w.observer.text(); !strings.Contains(messages, "runtime: "+defaultImage) {
		t.Errorf("got messages %q", messages)
	}
	w = newSharedWorld(t)
	w.Settings.Runtime = defaultImage
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"}); err != nil || w.observer.text() != "" {
		t.Errorf("got messages %q, %v", w.observer.text(), err)
	}
}

// Options that a backend does not support are rejected before any request.
func TestCPUIsRejectedOutsideCodeEngine(t *testing.T) {
	w := newWorld(t)
	_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default", MilliCPU: 500})
	mustFault(t, err, fault.Usage, "--cpu")
	_, err = w.Deploy(t.Context(), runtime.DeployRequest{Name: "default", InImage: true})
	mustFault(t, err, fault.Usage, "--code")
	if len(w.requests()) > 0 {
		t.Errorf("requests %q", w.requests())
	}
}

// quotaService is a service with quotas.
type quotaService struct {
	*runtimetest.Compute
	usage   entity.Usage
	removed []string
}

func (a *quotaService) Usage(context.Context) (entity.Usage, error) { return a.usage, nil }

func (a *quotaService) DeleteResource(_ context.Context, t entity.Resource) error {
	a.removed = append(a.removed, t.Name)
	return nil
}

// Doctor reports the usage of quotas and deletes leftovers of earlier jobs only with repair.
func TestDoctorChecksQuotas(t *testing.T) {
	word := func(word string, used int) entity.Quota {
		return entity.Quota{Term: entity.Term{Word: word}, Used: used, Limit: 100}
	}
	for name, c := range map[string]struct {
		usage   entity.Usage
		repair  bool
		status  check.Status
		finding string
	}{
		"little": {entity.Usage{Quotas: []entity.Quota{word("job", 3), word("job_run", 4), word("config_map", 5)}}, false, check.OK, "3 jobs, 4 job runs and 5 config maps"},
		"nearly": {entity.Usage{Quotas: []entity.Quota{word("config_map", 80)}}, false, check.Warning, "80 config maps"},
		"left":   {entity.Usage{Leftovers: []entity.Resource{{Name: "lithops-1"}}}, false, check.Warning, "lithops-1"},
		"repair": {entity.Usage{Leftovers: []entity.Resource{{Name: "lithops-1"}}}, true, check.Repaired, "deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSharedWorld(t)
			service := &quotaService{Compute: w.compute, usage: c.usage}
			w.Compute = service
			checks, err := w.Doctor(t.Context(), c.repair)
			i := slices.IndexFunc(checks, func(one runtime.Check) bool { return one.Name == "quotas" })
			if err != nil || i < 0 || checks[i].Status != c.status || !strings.Contains(checks[i].Finding.String(), c.finding) {
				t.Errorf("%+v, %v; want %s with %q", checks, err, c.status, c.finding)
			}
			if got := len(service.removed) > 0; got != c.repair {
				t.Errorf("removed %q", service.removed)
			}
		})
	}
}
