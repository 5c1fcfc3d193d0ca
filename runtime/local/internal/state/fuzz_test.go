package state

import (
	"bytes"
	"testing"

	"go.etcd.io/bbolt"
)

// FuzzRecords reads a state with arbitrary bytes in every record. Each method must return a value or an error.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	f.Add([]byte{0, 0, 0, 2, '{', '}', 'x'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{})
	f.Add([]byte(`{"exec":{"kind":1},"limits":null,"annotations":{}}`))
	d, err := Open(f.TempDir(), Limits{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = d.Close() })
	if err := d.CreateBucket("b"); err != nil {
		f.Fatal(err)
	}
	if err := d.SetVersioning("b", Enabled); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		err := d.update(func(tx *bbolt.Tx) error {
			objects, err := objectsBucket(tx, "b")
			if err != nil {
				return err
			}
			if err := objects.Put([]byte("k"), record); err != nil {
				return err
			}
			if err := archive(tx, "b").Put(key("k", "a0"), record); err != nil {
				return err
			}
			for bucket, k := range map[string][]byte{string(bucketPackages): key("n", "p"), string(bucketActions): key("n", "p", "a"),
				string(bucketUploads): key("b", "k", "u"), string(bucketParts): key("u", "1"), string(bucketCounters): []byte(objectBytes)} {
				if err := tx.Bucket([]byte(bucket)).Put(k, record); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = d.Objects("b", "", "", func(Object) (string, bool) { return "", true })
		if _, r, err := d.Open("b", "k", "", wholeObject); err == nil {
			_ = r.Close()
		}
		_ = d.Versions("b", "", "", "", func(Object) (string, bool) { return "", true })
		_, _ = d.Delete("b", nil, Deletion{"k", "null"}, Deletion{"k", "a0"}, Deletion{Key: "k"})
		_, _ = d.Package("n", "p")
		for range d.Packages("n", 0, 10) {
		}
		_, _ = d.Action("n", "p", "a")
		for range d.Actions("n", "p", true, 0, 10) {
		}
		for range d.Activations("n", ActivationFilter{Limit: 10, Outcome: true}) {
		}
		_ = d.Uploads("b", "", "", func(Upload) bool { return true })
		_, _ = d.Upload("b", "k", "u")
		_, _ = d.Parts("u")
		if o, inline, err := decodeObject([]byte("k"), record); err == nil {
			again, err := encodeObject(o, inline)
			if err != nil {
				t.Fatal(err)
			}
			if back, rest, err := decodeObject([]byte("k"), again); err != nil || back.Size != o.Size || !bytes.Equal(rest, inline) {
				t.Errorf("%+v came back as %+v: %v", o, back, err)
			}
		}
	})
}
