package state

import (
	"io"
	"strings"
	"testing"
)

// TestListsOfPartsHaveNoBytes: an upload may have 10,000 small parts, with their bytes in their records.
func TestListsOfPartsHaveNoBytes(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	if err := d.CreateBucket("b"); err != nil {
		t.Fatal(err)
	}
	u, err := d.StartUpload(Upload{Bucket: "b", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutPart("b", "k", u.ID, 1, strings.NewReader("small"), 5, func(*Part) {}); err != nil {
		t.Fatal(err)
	}
	parts, err := d.Parts(u.ID)
	if err != nil || len(parts) != 1 || parts[0].Size != 5 || parts[0].Inline != nil {
		t.Errorf("the list is %+v, %v", parts, err)
	}
	_, err = d.CompleteUpload("b", "k", u.ID, func(_ Upload, parts []Part, _ *Object) (Object, []Part, error) {
		if parts[0].Inline != nil {
			t.Error("the completion loads the parts' bytes")
		}
		return Object{}, parts, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := d.Open("b", "k", "", func(o Object, _ []Part) (int64, int64, error) { return 0, o.Size, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); string(data) != "small" || err != nil {
		t.Errorf("the object is %q, %v", data, err)
	}
}
