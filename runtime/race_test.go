package runtime_test

import (
	"context"
	"strings"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
)

// The two orders in which a concurrent deployment and deletion of the same runtime could leave metadata without a
// runtime, for which the client would wait indefinitely. In both, the deletion takes precedence.

// A complete deletion happens between the metadata call of a deployment and the storing of its metadata.
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
		t.Errorf("deleted %v, the deployment returned %v", deleted, err)
	}
	checkNoOrphans(t, w, "after the race")
	if list, err := w.Cache.ReadMetadata(w.key(defaultImage, 256)); err == nil {
		t.Errorf("the cache has %s", list)
	}
}

// Another deployment stores its metadata while a deletion deletes the action.
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
	w.compute.Hook = func(request string, after bool) error {
		if strings.HasPrefix(request, "DELETE ") && strings.Contains(request, w.action(defaultImage, 256)) && !after {
			again = true
			w.store.Set(key, stored, w.store.Now())
		}
		return nil
	}
	if _, err := w.Delete(t.Context(), runtime.DeleteRequest{Name: "default"}); err != nil || !again {
		t.Errorf("stored again %v, the deletion returned %v", again, err)
	}
	checkNoOrphans(t, w, "after the race")
}

// A server responds to the creation of a package with 409 although it does not exist. The package is not reported as
// created.
func TestPackageReportedAsExisting(t *testing.T) {
	w := newWorld(t)
	w.compute.GroupConflict, w.compute.Missing = true, true
	result, err := w.Deploy(t.Context(), runtime.DeployRequest{Name: "default"})
	if it := item(t, result, runtime.KindResource); err == nil || it.Status != runtime.Failed || it.Err == nil {
		t.Errorf("%+v, %v", it, err)
	}
	checkNoOrphans(t, w, "afterwards")
}
