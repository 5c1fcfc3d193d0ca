package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, dir string, l Limits, now func() time.Time) *DB {
	t.Helper()
	d, err := Open(dir, l, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func allow(_, _ *Object) error { return nil }

func put(t *testing.T, d *DB, bucket, name string, data []byte) Object {
	t.Helper()
	return must[Object](t)(d.Put(bucket, Object{Key: name}, bytes.NewReader(data), int64(len(data)), allow))
}

func wholeObject(o Object, _ []Part) (int64, int64, error) { return 0, o.Size, nil }

func get(t *testing.T, d *DB, bucket, name string) []byte {
	t.Helper()
	_, r, err := d.Open(bucket, name, "", wholeObject)
	ok(t, err)
	defer r.Close()
	return must[[]byte](t)(io.ReadAll(r))
}

func blobs(t *testing.T, dir string) int {
	t.Helper()
	return len(must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(dir, "objects"))))
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Limits{}, nil)
	if _, err := Open(dir, Limits{}, nil); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v", err)
	}
}

func TestSharedCodeIsDeletedWithItsLastAction(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateNamespace(Namespace{ID: "id", Name: "guest"}))
	must[Package](t)(d.PutPackage("id", "p", func(*Package) (Package, error) { return Package{}, nil }))
	code, other := "UEsDB-code", "UEsDB-other"
	keep := func(old *Action) (Action, error) {
		if old != nil {
			next := *old
			next.Version = ""
			return next, nil
		}
		return Action{Kind: "blackbox"}, nil
	}
	a := must[Action](t)(d.PutAction("id", "p", "a", &code, keep))
	b := must[Action](t)(d.PutAction("id", "p", "b", &code, keep))
	if a.Revision == b.Revision || a.Version != "0.0.1" {
		t.Fatalf("%+v %+v", a, b)
	}
	again := must[Action](t)(d.PutAction("id", "p", "a", nil, keep))
	if again.CodeHash != hashCode(code) || again.Version != "0.0.2" {
		t.Fatalf("an update without code must keep it: %+v", again)
	}
	must[Action](t)(d.PutAction("id", "p", "a", &other, keep))
	if got := must[string](t)(d.Code(hashCode(code))); got != code {
		t.Fatal("b has lost its code")
	}
	if _, got, err := d.DeleteAction("id", "p", "b"); err != nil || got != code {
		t.Fatalf("the code of the deleted action: %q, %v", got, err)
	}
	if _, err := d.Code(hashCode(code)); !errors.Is(err, ErrNotFound) {
		t.Fatalf("code without an action was not deleted: %v", err)
	}
	if _, n, err := d.DeletePackage("id", "p", false); !errors.Is(err, ErrNotEmpty) || n != 1 {
		t.Fatalf("%d %v", n, err)
	}
	ok(t, d.DeleteNamespace("id"))
	if _, err := d.Code(hashCode(other)); !errors.Is(err, ErrNotFound) {
		t.Fatal("code survives its namespace")
	}
}

func TestConcurrentActionUpdatesAreNotLost(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateNamespace(Namespace{ID: "id", Name: "guest"}))
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			_, err := d.PutAction("id", "", "a", nil, func(old *Action) (Action, error) {
				if old == nil {
					return Action{}, nil
				}
				next := *old
				next.MemoryMB++
				next.Version = ""
				return next, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a := must[Action](t)(d.Action("id", "", "a")); a.MemoryMB != 39 || a.Version != "0.0.40" {
		t.Fatalf("got %+v, want 39 MB in version 0.0.40", a)
	}
}

func TestFailingWriteDoesNotUndoOthers(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	var wg sync.WaitGroup
	no := errors.New("no")
	for i := range 60 {
		wg.Go(func() {
			_, err := d.Put("b", Object{Key: fmt.Sprint(i)}, strings.NewReader("x"), 1, func(_, _ *Object) error {
				if i%3 == 0 {
					return no
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, no) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	n := 0
	ok(t, d.Objects("b", "", "", func(Object) (string, bool) { n++; return "", true }))
	if n != 40 {
		t.Fatalf("%d objects", n)
	}
}

func TestActivationsAreBoundedByNumberAndAge(t *testing.T) {
	now := time.UnixMilli(1_000_000_000_000)
	d := open(t, t.TempDir(), Limits{Activations: 5, ActivationAge: time.Hour}, func() time.Time { return now })
	for i := range 8 {
		a := Activation{ID: fmt.Sprintf("%032x", i), NamespaceID: "ns", Action: fmt.Sprint("a", i%2), Start: now.UnixMilli() + int64(i)}
		ok(t, d.Accept(a))
		if lost := must[[]Activation](t)(d.Pending()); len(lost) != 1 {
			t.Fatal("an accepted activation is not pending")
		}
		ok(t, d.Finish(a))
	}
	ids := func(f ActivationFilter) (s string) {
		f.Limit = max(f.Limit, 0)
		if f.Limit == 0 {
			f.Limit = -1
		}
		for _, a := range must[[]Activation](t)(collect(d.Activations("ns", f))) {
			s += a.ID[31:]
		}
		return s
	}
	start := now.UnixMilli()
	for _, c := range []struct {
		f    ActivationFilter
		want string
	}{
		{ActivationFilter{}, "76543"},
		{ActivationFilter{Limit: 2, Skip: 1}, "65"},
		{ActivationFilter{Action: "a1"}, "753"},
		{ActivationFilter{Since: start + 6}, "76"},
		{ActivationFilter{Upto: start + 4}, "43"},
		{ActivationFilter{Since: start + 5, Upto: start + 5}, "5"},
	} {
		if got := ids(c.f); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.f, got, c.want)
		}
	}
	if _, err := d.Activation("ns", fmt.Sprintf("%032x", 0)); !errors.Is(err, ErrNotFound) {
		t.Error("the oldest activation was not evicted")
	}
	now = now.Add(2 * time.Hour)
	ok(t, d.Finish(Activation{ID: strings.Repeat("f", 32), NamespaceID: "ns", Start: now.UnixMilli()}))
	if got := ids(ActivationFilter{}); got != "f" {
		t.Errorf("old activations were not evicted: %s", got)
	}
}

// No activation is lost right after it ended if the clock jumps ahead while it runs, or back afterwards.
func TestClockJumpDoesNotEvictNewActivations(t *testing.T) {
	now := time.UnixMilli(1_000_000_000_000)
	d := open(t, t.TempDir(), Limits{Activations: 3, ActivationAge: time.Hour}, func() time.Time { return now })
	finish := func(name string, start time.Time) {
		t.Helper()
		a := Activation{ID: strings.Repeat(name, 32), NamespaceID: "ns", Start: start.UnixMilli()}
		ok(t, d.Accept(a))
		ok(t, d.Finish(a))
		if _, err := d.Activation("ns", a.ID); err != nil {
			t.Errorf("%s was evicted immediately: %v", name, err)
		}
	}
	began := now
	now = now.Add(24 * time.Hour) // longer than ActivationAge
	finish("a", began)
	for _, name := range []string{"b", "c", "d"} { // as many as the limit allows, dated tomorrow
		finish(name, now)
	}
	now = began
	for _, name := range []string{"e", "f", "0"} {
		finish(name, now)
	}
	if n := len(must[[]Activation](t)(collect(d.Activations("ns", ActivationFilter{Limit: -1})))); n != 3 {
		t.Errorf("%d activations are kept, want 3", n)
	}
}

func TestObjectsSurviveReopen(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	for _, size := range []int{0, 1, inlineMax, inlineMax + 1, 300_000} {
		put(t, d, "b", fmt.Sprint(size), bytes.Repeat([]byte{byte(size)}, size))
	}
	put(t, d, "b", "300000", bytes.Repeat([]byte("n"), 200_000)) // the file of the replaced object must be removed
	if n := blobs(t, dir); n != 2 {
		t.Fatalf("%d files for 2 large objects", n)
	}
	ok(t, d.Close())
	ok(t, os.WriteFile(filepath.Join(dir, "objects", "left-behind"), []byte("x"), 0o600))
	d = open(t, dir, Limits{}, nil)
	if n := blobs(t, dir); n != 2 {
		t.Fatalf("reopening left %d files", n)
	}
	if got := get(t, d, "b", "300000"); !bytes.Equal(got, bytes.Repeat([]byte("n"), 200_000)) {
		t.Fatal("the content differs")
	}
	deleteObjects(t, d, "0", "1", "65536", "65537", "300000", "never")
	if n := blobs(t, dir); n != 0 {
		t.Fatalf("%d files of deleted objects", n)
	}
	ok(t, d.DeleteBucket("b"))
}

type brokenReader struct{ n int }

func (r *brokenReader) Read(p []byte) (int, error) {
	if r.n -= len(p); r.n < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

func TestFailedUploadLeavesNoFiles(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	if _, err := d.Put("b", Object{Key: "k"}, &brokenReader{400_000}, 500_000, allow); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if _, err := d.Put("none", Object{Key: "k"}, bytes.NewReader(make([]byte, 100_000)), 100_000, allow); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if n := blobs(t, dir); n != 0 {
		t.Fatalf("%d files", n)
	}
}

func TestObjectBytesLimit(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{ObjectBytes: 10_000}, nil)
	ok(t, d.CreateBucket("b"))
	put(t, d, "b", "a", make([]byte, 9000))
	if _, err := d.Put("b", Object{Key: "c"}, bytes.NewReader(make([]byte, 2000)), 2000, allow); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	deleteObjects(t, d, "a")
	put(t, d, "b", "c", make([]byte, 2000))
	ok(t, d.Close())
	full := open(t, dir, Limits{FreeBytes: 1 << 60}, nil) // more than any disk has
	if err := full.CreateBucket("b"); !errors.Is(err, ErrExists) {
		t.Fatal(err)
	}
	if err := full.CreateBucket("new"); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if _, err := full.Put("b", Object{Key: "c"}, bytes.NewReader(nil), 0, allow); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
}

func noopComplete(*Part) {}

// allParts creates an object from all parts.
func allParts(_ Upload, parts []Part, _ *Object) (Object, []Part, error) {
	return Object{ETag: "e"}, parts, nil
}

func TestUploadsSurviveReopen(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "k", Meta: map[string]string{"A": "b"}}))
	big := bytes.Repeat([]byte("1"), 200_000)
	must[Part](t)(d.PutPart("b", "k", u.ID, 1, bytes.NewReader([]byte("wrong")), 5, noopComplete))
	must[Part](t)(d.PutPart("b", "k", u.ID, 1, bytes.NewReader(big), int64(len(big)), noopComplete))
	must[Part](t)(d.PutPart("b", "k", u.ID, 2, strings.NewReader("end"), 3, noopComplete))
	ok(t, d.Close())
	d = open(t, dir, Limits{}, nil)
	o := must[Object](t)(d.CompleteUpload("b", "k", u.ID, allParts))
	if got := get(t, d, "b", "k"); !bytes.Equal(got, append(big, "end"...)) || o.Meta["A"] != "b" {
		t.Fatal("the content differs")
	}
	if n := blobs(t, dir); n != 1 {
		t.Fatalf("%d files", n)
	}
	ok(t, d.Close())
	d = open(t, dir, Limits{}, nil)
	if got := get(t, d, "b", "k"); !bytes.Equal(got, append(big, "end"...)) {
		t.Fatal("the content differs after reopening")
	}
	if err := d.AbortUpload("b", "k", u.ID); !errors.Is(err, ErrNotFound) {
		t.Fatal("the upload still exists")
	}
}
