package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

// populatedState returns the directory of a state that contains objects and actions.
func populatedState(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	ok(t, d.CreateNamespace(Namespace{ID: "id", Name: "guest"}))
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if _, err := d.Put("b", Object{Key: fmt.Sprintf("key-%03d", i)}, bytes.NewReader(make([]byte, 3000)), 3000, allow); err != nil {
				t.Error(err)
			}
			code := fmt.Sprintf("code %d", i)
			if _, err := d.PutAction("id", "", fmt.Sprint("a", i), &code, func(*Action) (Action, error) { return Action{}, nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ok(t, d.Close())
	return dir
}

// Open rejects a truncated or corrupted file if data was lost.
func TestOpenRejectsDamagedFile(t *testing.T) {
	const page = 4096
	original := must[[]byte](t)(os.ReadFile(filepath.Join(populatedState(t), "state.db")))
	cases := map[string]func(file []byte) []byte{
		"cut in half":             func(b []byte) []byte { return b[:len(b)/2] },
		"cut to some bytes":       func(b []byte) []byte { return b[:100] },
		"cut to its first pages":  func(b []byte) []byte { return b[:3*page] },
		"zeroed":                  func(b []byte) []byte { return make([]byte, len(b)) },
		"zeroed but its head":     func(b []byte) []byte { clear(b[2*page:]); return b },
		"zeroed from its middle":  func(b []byte) []byte { clear(b[len(b)/4:]); return b },
		"garbage":                 func(b []byte) []byte { return bytes.Repeat([]byte("garbage "), len(b)/8) },
		"garbage but its head":    func(b []byte) []byte { copy(b[2*page:], bytes.Repeat([]byte("garbage "), len(b)/8)); return b },
		"garbage from its middle": func(b []byte) []byte { copy(b[len(b)/4:], bytes.Repeat([]byte{0xff}, len(b))); return b },
	}
	for n := range len(original) / page / 12 {
		cases[fmt.Sprintf("cut to %d pages", 12*n)] = func(b []byte) []byte { return b[:12*n*page+n] }
		cases[fmt.Sprintf("page %d refers to data beyond the end of the file", 12*n+3)] = func(b []byte) []byte { b[(12*n+3)*page+16+7] ^= 0x40; return b }
		cases[fmt.Sprintf("without page %d", 12*n+3)] = func(b []byte) []byte { clear(b[(12*n+3)*page:][:page]); return b }
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			ok(t, os.WriteFile(path, damage(slices.Clone(original)), 0o600))
			d, err := Open(filepath.Dir(path), Limits{}, nil)
			if err == nil {
				t.Cleanup(func() { _ = d.Close() })
				for i := range 200 { // Open may succeed only if no reachable page is damaged
					get(t, d, "b", fmt.Sprintf("key-%03d", i))
				}
				if _, err := d.Delete("b", nil, Deletion{Key: "key-001"}, Deletion{Key: "key-100"}); err != nil && !errors.Is(err, ErrDamaged) {
					t.Errorf("a change: %v", err)
				}
				return
			}
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("got %v, want ErrDamaged", err)
			}
		})
	}
}

// If the file is damaged while it is open, operations on lost data return an error; the process does not crash.
func TestDamageWhileOpenReturnsErrors(t *testing.T) {
	for name, damage := range map[string]func(f *os.File) error{
		"cut":             func(f *os.File) error { return f.Truncate(4096) },
		"emptied":         func(f *os.File) error { return f.Truncate(0) },
		"zeroed in place": func(f *os.File) error { return overwrite(f, 0) },
		"garbage":         func(f *os.File) error { return overwrite(f, 0xa5) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := populatedState(t)
			d := must[*DB](t)(Open(dir, Limits{}, nil))
			t.Cleanup(func() { _ = d.Close() })
			f := must[*os.File](t)(os.OpenFile(filepath.Join(dir, "state.db"), os.O_RDWR, 0))
			defer f.Close()
			ok(t, damage(f))
			for name, do := range map[string]func() error{
				"object": func() error {
					_, r, err := d.Open("b", "key-100", "", wholeObject)
					if err == nil {
						err = r.Close()
					}
					return err
				},
				"objects":    func() error { return d.Objects("b", "", "", func(Object) (string, bool) { return "", true }) },
				"buckets":    func() error { _, err := d.Buckets(); return err },
				"uploads":    func() error { return d.Uploads("b", "", "", func(Upload) bool { return true }) },
				"namespaces": func() error { _, err := d.Namespaces(); return err },
				"action":     func() error { _, err := d.Action("id", "", "a100"); return err },
				"deletion":   func() error { _, err := d.Delete("b", nil, Deletion{Key: "key-100"}); return err },
			} {
				if err := do(); err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotFound) {
					t.Errorf("%s: got %v, want ErrDamaged", name, err)
				}
			}
			if _, err := d.Object("b", "key-100", ""); err == nil {
				t.Error("an object was read from a missing page")
			}
		})
	}
}

// A change that panics is rolled back, and the next change succeeds.
func TestPanicRollsBackOnlyItsChange(t *testing.T) {
	d := open(t, populatedState(t), Limits{}, nil)
	defer d.Close()
	err := d.change(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("half")); err != nil {
			return err
		}
		panic("invalid page")
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	if err := d.change(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("half")) != nil {
			t.Error("the failed change was partly committed")
		}
		return nil
	}); err != nil {
		t.Errorf("the next change: %v, want no error", err)
	}
}

// overwrite fills a file with b, except for its first two pages.
func overwrite(f *os.File, b byte) error {
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(bytes.Repeat([]byte{b}, int(info.Size())-2*4096), 2*4096)
	}
	return err
}

func TestOpenRejectsDamagedRecord(t *testing.T) {
	dir := populatedState(t)
	d := open(t, dir, Limits{}, nil)
	ok(t, d.update(func(tx *bbolt.Tx) error {
		b, err := objectsBucket(tx, "b")
		if err != nil {
			return err
		}
		return b.Put([]byte("key-100"), []byte("no record"))
	}))
	ok(t, d.Close())
	if _, err := Open(dir, Limits{}, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func TestOpenChecksFormatVersion(t *testing.T) {
	dir := populatedState(t)
	set := func(v []byte) {
		b := must[*bbolt.DB](t)(bbolt.Open(filepath.Join(dir, "state.db"), 0o600, nil))
		ok(t, b.Update(func(tx *bbolt.Tx) error {
			if v == nil {
				return tx.DeleteBucket(bucketMeta) // the file of a release without a format version
			}
			return tx.Bucket(bucketMeta).Put(keyFormat, v)
		}))
		ok(t, b.Close())
	}
	for _, earlier := range [][]byte{nil, []byte("1")} {
		set(earlier)
		d := open(t, dir, Limits{}, nil)
		if got := get(t, d, "b", "key-000"); len(got) != 3000 {
			t.Errorf("an object of a state of format %q has %d bytes of 3000", earlier, len(got))
		}
		ok(t, d.Close())
	}
	set([]byte(strconv.Itoa(format + 1)))
	if _, err := Open(dir, Limits{}, nil); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}
