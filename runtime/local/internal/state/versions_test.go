package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// deleteObjects deletes objects of the bucket b.
func deleteObjects(t *testing.T, d *DB, names ...string) {
	t.Helper()
	deletions := []Deletion{}
	for _, name := range names {
		deletions = append(deletions, Deletion{Key: name})
	}
	must[[]Object](t)(d.Delete("b", nil, deletions...))
}

func getVersion(t *testing.T, d *DB, name, version string) string {
	t.Helper()
	_, r, err := d.Open("b", name, version, wholeObject)
	ok(t, err)
	defer r.Close()
	return string(must[[]byte](t)(io.ReadAll(r)))
}

// versions lists the bucket b in pages. Each version is "key version", followed by * for the latest and ! for a delete
// marker.
func versions(t *testing.T, d *DB, page int) (list []string) {
	t.Helper()
	key, version := "", ""
	for more := true; more; {
		n := 0
		more = false
		ok(t, d.Versions("b", "", key, version, func(o Object) (string, bool) {
			if more = n == page; more {
				return "", false
			}
			n++
			key, version = o.Key, o.Version
			line := o.Key + " " + o.Version
			if o.Latest {
				line += "*"
			}
			if o.Marker {
				line += "!"
			}
			list = append(list, line)
			return "", true
		}))
	}
	return list
}

// checkByteCounter compares the byte counter with the actual size.
func checkByteCounter(t *testing.T, d *DB) {
	t.Helper()
	ok(t, d.update(func(tx *bbolt.Tx) error {
		have := counter(tx, objectBytes)
		_, err := recount(tx)
		if want := counter(tx, objectBytes); have != want {
			t.Errorf("the counter is %d bytes, the actual size is %d", have, want)
		}
		return err
	}))
}

func TestVersionedBucketKeepsOldVersions(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	large := strings.Repeat("x", 2*inlineMax)
	put(t, d, "b", "k", []byte("before"))
	ok(t, d.SetVersioning("b", Enabled))
	first := put(t, d, "b", "k", []byte(large)).Version
	second := put(t, d, "b", "k", []byte(large+"2")).Version
	done := must[[]Object](t)(d.Delete("b", nil, Deletion{Key: "k"}))
	marker := done[0].Version
	want := []string{"k " + marker + "*!", "k " + second, "k " + first, "k null"}
	if diff := cmp.Diff(want, versions(t, d, 10)); diff != "" {
		t.Error(diff)
	}
	ok(t, d.Close())
	d = open(t, dir, Limits{}, nil) // opening removes files that are in no record
	var deleted *DeleteMarkerError
	if _, err := d.Object("b", "k", ""); !errors.As(err, &deleted) || !errors.Is(err, ErrNotFound) || deleted.Version != marker {
		t.Errorf("a deleted object: %v", err)
	}
	for version, want := range map[string]string{first: large, second: large + "2", "null": "before"} {
		if got := getVersion(t, d, "k", version); got != want {
			t.Errorf("%s: got %d different bytes", version, len(got))
		}
	}
	if err := d.DeleteBucket("b"); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a bucket with versions: %v", err)
	}
	must[[]Object](t)(d.Delete("b", nil, Deletion{"k", marker}, Deletion{"k", first}))
	if got := string(get(t, d, "b", "k")); got != large+"2" {
		t.Errorf("without its delete marker the object has %d different bytes", len(got))
	}
	must[[]Object](t)(d.Delete("b", nil, Deletion{"k", second}))
	if got := string(get(t, d, "b", "k")); got != "before" {
		t.Errorf("got %q, want the version before versioning", got)
	}
	must[[]Object](t)(d.Delete("b", nil, Deletion{"k", "null"}, Deletion{"k", "null"}))
	if n := blobs(t, dir); n != 0 {
		t.Errorf("%d files of deleted versions", n)
	}
	checkByteCounter(t, d)
	ok(t, d.DeleteBucket("b"))
}

// After random changes, listing versions in pages of any size matches a model with a list of versions for each key.
func TestVersionsAgreeWithAModel(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	random := rand.New(rand.NewPCG(1, 2))
	type version struct {
		id, data string
		marker   bool
	}
	model := map[string][]version{} // newest first
	mode := Versioning("")
	names := []string{"a", "a!", "a/b", "ab", "ü"}
	add := func(name string, v version) {
		if mode != Enabled {
			model[name] = slices.DeleteFunc(model[name], func(v version) bool { return v.id == "" || v.id == "null" })
		}
		model[name] = slices.Insert(model[name], 0, v)
	}
	for step := range 600 {
		name := names[random.IntN(len(names))]
		switch n := random.IntN(12); {
		case n < 5:
			data := strings.Repeat(fmt.Sprint(step, " "), 1+random.IntN(2)*inlineMax/2)
			o := put(t, d, "b", name, []byte(data))
			add(name, version{id: o.Version, data: data})
		case n < 7:
			done := must[[]Object](t)(d.Delete("b", nil, Deletion{Key: name}))
			if mode == "" {
				delete(model, name)
			} else {
				add(name, version{id: done[0].Version, marker: true})
			}
		case n < 11 && len(model[name]) > 0:
			i := random.IntN(len(model[name]))
			must[[]Object](t)(d.Delete("b", nil, Deletion{name, model[name][i].id}))
			model[name] = slices.Delete(model[name], i, i+1)
			if mode == "" {
				delete(model, name)
			}
		case n == 11 && step > 20:
			mode = []Versioning{Enabled, Suspended}[random.IntN(2)]
			ok(t, d.SetVersioning("b", mode))
			for _, list := range model {
				for i, v := range list {
					if v.id == "" {
						list[i].id = "null"
					}
				}
			}
		}
		if step%20 != 0 {
			continue
		}
		var want []string
		for _, name := range names {
			for i, v := range model[name] {
				line := name + " " + v.id
				if i == 0 {
					line += "*"
				}
				if v.marker {
					line += "!"
				} else if got := getVersion(t, d, name, v.id); got != v.data {
					t.Fatalf("%d: %s has different content", step, line)
				}
				want = append(want, line)
			}
		}
		for _, page := range []int{1, 2, 3, 1000} {
			if page < 1000 && mode == "" {
				continue // a page must end at a version ID, which does not exist without versioning
			}
			if diff := cmp.Diff(want, versions(t, d, page)); diff != "" {
				t.Fatalf("%d: pages of %d: %s", step, page, diff)
			}
		}
	}
	checkByteCounter(t, d)
	ok(t, d.Close())
	open(t, dir, Limits{}, nil)
	large := 0
	for _, list := range model {
		for _, v := range list {
			if len(v.data) > inlineMax {
				large++
			}
		}
	}
	if n := blobs(t, dir); n != large {
		t.Errorf("%d files of %d large versions", n, large)
	}
}

// A client that deletes each listed page before it lists the next one reaches the end of the list.
func TestListingContinuesAfterDeletedVersion(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	put(t, d, "b", "k", nil)
	ok(t, d.SetVersioning("b", Enabled))
	for range 3 {
		put(t, d, "b", "k", nil)
		must[[]Object](t)(d.Delete("b", nil, Deletion{Key: "k"}))
	}
	want := versions(t, d, 10)
	key, version, got := "", "", []string(nil)
	for {
		var next *Object
		ok(t, d.Versions("b", "", key, version, func(o Object) (string, bool) { next = &o; return "", false }))
		if next == nil {
			break
		}
		key, version = next.Key, next.Version
		got = append(got, key+" "+version)
		must[[]Object](t)(d.Delete("b", nil, Deletion{key, version}))
	}
	want[0] = strings.TrimSuffix(want[0], "*!")
	for i := range want {
		want[i] = strings.TrimSuffix(want[i], "!")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	ok(t, d.DeleteBucket("b"))
}

func TestVersionsCountTowardsTheLimit(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{ObjectBytes: 10_000}, nil)
	ok(t, d.CreateBucket("b"))
	ok(t, d.SetVersioning("b", Enabled))
	first := put(t, d, "b", "k", make([]byte, 6000))
	if _, err := d.Put("b", Object{Key: "k"}, bytes.NewReader(make([]byte, 6000)), 6000, allow); !errors.Is(err, ErrFull) {
		t.Errorf("a second version beyond the limit: %v", err)
	}
	if got := must[Object](t)(d.Object("b", "k", "")); got.Version != first.Version {
		t.Errorf("the current version is %s, want %s", got.Version, first.Version)
	}
	many := make([]Deletion, 100)
	for i := range many {
		many[i].Key = fmt.Sprintf("never there %s%d", strings.Repeat("x", 100), i)
	}
	if _, err := d.Delete("b", nil, many...); !errors.Is(err, ErrFull) {
		t.Errorf("delete markers beyond the limit: %v", err)
	}
	ok(t, d.Close())
	full := open(t, dir, Limits{FreeBytes: 1 << 60}, nil) // more than any disk has
	if _, err := full.Delete("b", nil, Deletion{Key: "k"}); !errors.Is(err, ErrFull) {
		t.Errorf("a delete marker on a full disk: %v", err)
	}
	must[[]Object](t)(full.Delete("b", nil, Deletion{"k", first.Version}))
	ok(t, full.DeleteBucket("b"))
}
