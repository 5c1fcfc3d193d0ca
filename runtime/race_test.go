package runtime_test

import (
	"context"
	"strings"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
)

// The two orders in which a deployment and a deletion of the same runtime could leave metadata without its action, on
// which the client waits for ever. In both the deletion wins.

// A whole deletion happens between the metadata call of a deployment and the storing of its metadata.
func TestDeletionBeforeTheMetadataIsStored(t *testing.T) {
	w := newWorld(t)
	deleted := false
	w.store.Hook = func(request string, after bool) error {
		if strings.HasPrefix(request, "PUT ") && !after && !deleted {
			deleted = true
			if _, err := w.Delete(context.Background(), runtime.DeleteRequest{Name: "default"}); err != nil {
				t.Errorf("the deletion fails: %v", err)
			}
		}
		return nil
	}
	_, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"})
	if !deleted || !fault.Is(err, fault.Conflict) {
		t.Errorf("deleted %v, the deployment says %v", deleted, err)
	}
	orphans(t, w, "after the race")
	if list, err := w.Cache.ReadMetadata(w.key(defaultImage, 256)); err == nil {
		t.Errorf("the cache has %s", list)
	}
}

// Another deployment stores its metadata while a deletion is at the action.
func TestMetadataStoredWhileTheActionIsDeleted(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"}); err != nil {
		t.Fatal(err)
	}
	key := w.key(defaultImage, 256)
	stored, err := w.store.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	again := false
	w.functions.Hook = func(request string, after bool) error {
		if strings.HasPrefix(request, "DELETE ") && strings.Contains(request, w.action(defaultImage, 256)) && !after {
			again = true
			w.store.Set(key, stored, w.store.Now())
		}
		return nil
	}
	if _, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "default"}); err != nil || !again {
		t.Errorf("stored again %v, the deletion says %v", again, err)
	}
	orphans(t, w, "after the race")
}

// A server that answers the creation of a package with 409, and has none: nothing is said to be made.
func TestPackageThatIsSaidToBeThere(t *testing.T) {
	w := newWorld(t)
	w.functions.Taken, w.space.missing = true, true
	result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"})
	if it := item(t, result, runtime.KindPackage); err == nil || it.Status != runtime.Failed || it.Err == nil {
		t.Errorf("%+v, %v", it, err)
	}
	orphans(t, w, "afterwards")
}

// A service that answers the deletion of the namespace with 404, and has it: nothing is said to be deleted.
func TestNamespaceThatIsSaidToBeGone(t *testing.T) {
	w := newWorld(t)
	w.Target.Backend, w.Target.Region = runtime.BackendIBMCF, "us-south"
	w.space.denied = true
	result, err := w.Clean(t.Context(), runtime.CleanRequest{All: true})
	if it := item(t, result, runtime.KindNamespace); err == nil || it.Status != runtime.Failed {
		t.Errorf("%+v, %v", it, err)
	}
	w.space.missing = true
	if _, err := w.Clean(t.Context(), runtime.CleanRequest{All: true}); err != nil {
		t.Errorf("a namespace that is gone: %v", err)
	}
}
