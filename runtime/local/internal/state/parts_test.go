package state

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// Lists of parts do not contain the parts' bytes: an upload may have 10,000 small parts that are stored in their
// records.
func TestPartListsOmitBytes(t *testing.T) {
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

// Reading ranges does not decode all parts each time: a job reads one object in thousands of ranges.
func TestRangeReadsUsePartsCache(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "k"}))
	const size = inlineMax + 1
	for n := range 4 {
		body := strings.Repeat(strconv.Itoa(n), size)
		if _, err := d.PutPart("b", "k", u.ID, n+1, strings.NewReader(body), size, func(*Part) {}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.CompleteUpload("b", "k", u.ID, func(_ Upload, parts []Part, _ *Object) (Object, []Part, error) { return Object{}, parts, nil })
	ok(t, err)
	read := func(offset, length int64) (text string, held int) {
		t.Helper()
		_, r, err := d.Open("b", "k", "", func(Object, []Part) (int64, int64, error) { return offset, length, nil })
		ok(t, err)
		defer r.Close()
		held = len(r.(*reader).held)
		return string(must[[]byte](t)(io.ReadAll(r))), held
	}
	for _, c := range []struct {
		offset, length int64
		want           string
		held           int
	}{
		{0, 2, "00", 1}, {size - 1, 2, "01", 2}, {2 * size, 1, "2", 1}, {4*size - 2, 2, "33", 1}, {size, 0, "", 0},
		{size - 1, size + 2, "0" + strings.Repeat("1", size) + "2", 3},
	} {
		if text, held := read(c.offset, c.length); text != c.want || held != c.held {
			t.Errorf("%d bytes from %d: %d bytes of %d files, want %d of %d", c.length, c.offset, len(text), held, len(c.want), c.held)
		}
	}
	ok(t, d.update(func(tx *bbolt.Tx) error { // decoding the parts again would now fail
		return tx.Bucket(bucketParts).Put(partKey(u.ID, 1), []byte("no part"))
	}))
	if text, _ := read(0, 1); text != "0" {
		t.Errorf("got %q, want 0", text)
	}
}

// Records of parts stay small: completing an upload reads up to 10,000 of them while all other writers wait.
func TestPartRecordsStaySmall(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "k"}))
	for i, size := range []int{1, inlinePart, inlinePart + 1, inlineMax} {
		must[Part](t)(d.PutPart("b", "k", u.ID, i+1, strings.NewReader(strings.Repeat("x", size)), int64(size), noopComplete))
		ok(t, d.view(func(tx *bbolt.Tx) error {
			if n := len(tx.Bucket(bucketParts).Get(partKey(u.ID, i+1))); n > 2*inlinePart {
				t.Errorf("the record of a part of %d bytes has %d bytes, want at most %d", size, n, 2*inlinePart)
			}
			return nil
		}))
	}
}
