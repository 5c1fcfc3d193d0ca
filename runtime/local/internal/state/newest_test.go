package state

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// Lists have the most recently changed record first: after changes, after deletions, in pages, and after an earlier
// release changed the state without updating the order.
func TestListsAreSortedByLastChange(t *testing.T) {
	dir, now := t.TempDir(), time.UnixMilli(1e12)
	clock := func() time.Time { now = now.Add(time.Millisecond); return now }
	d := must[*DB](t)(Open(dir, Limits{}, clock))
	ok(t, d.CreateNamespace(Namespace{ID: "id", Name: "guest"}))
	put := func(pkg, name string) {
		t.Helper()
		if name == "" {
			must[Package](t)(d.PutPackage("id", pkg, func(*Package) (Package, error) { return Package{}, nil }))
			return
		}
		must[Action](t)(d.PutAction("id", pkg, name, nil, func(*Action) (Action, error) { return Action{}, nil }))
	}
	want := func(packages, inP, all string) {
		t.Helper()
		got := [3][]string{{}, {}, {}}
		for p, err := range d.Packages("id", 0, -1) {
			ok(t, err)
			got[0] = append(got[0], p.Name)
		}
		for i, pkg := range []string{"p", ""} {
			for a, err := range d.Actions("id", pkg, pkg == "", 0, -1) {
				ok(t, err)
				got[1+i] = append(got[1+i], a.Name)
			}
		}
		if diff := cmp.Diff([3][]string{strings.Fields(packages), strings.Fields(inP), strings.Fields(all)}, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	put("p", "")
	put("q", "")
	put("p", "a")
	put("q", "b")
	put("p", "c")
	want("q p", "c a", "c b a")
	put("p", "a")
	put("p", "")
	want("p q", "a c", "a c b")
	for a, err := range d.Actions("id", "p", false, 1, 1) {
		if ok(t, err); a.Name != "c" {
			t.Fatalf("the second page begins with %s, want c", a.Name)
		}
	}
	if _, _, err := d.DeleteAction("id", "p", "c"); err != nil {
		t.Fatal(err)
	}
	want("p q", "a", "a b")
	ok(t, d.update(func(tx *bbolt.Tx) error {
		return write(tx.Bucket(bucketActions), key("id", "q", "b"), Action{Package: "q", Name: "b", Updated: now.UnixMilli() + 1})
	}))
	ok(t, d.Close())
	d = must[*DB](t)(Open(dir, Limits{}, clock))
	defer d.Close()
	want("p q", "a", "b a")
	if _, _, err := d.DeletePackage("id", "p", true); err != nil {
		t.Fatal(err)
	}
	want("q", "", "b")
}
