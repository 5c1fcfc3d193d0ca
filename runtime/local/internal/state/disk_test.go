package state

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

// setFreeBytes makes the disk of d always report this number of free bytes. Writes do not reduce it, so that only
// reservations count.
func setFreeBytes(d *DB, bytes int64) {
	d.disk.free = func(string) (int64, bool) { return bytes, true }
}

func TestConcurrentWritersKeepMinimumFreeSpace(t *testing.T) {
	d := open(t, t.TempDir(), Limits{FreeBytes: 1 << 20}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "m"}))
	setFreeBytes(d, 1<<20+500_000)
	begin := make(chan struct{})
	var reading, wg sync.WaitGroup
	results := make(chan error, 12)
	body := func() io.Reader {
		return &notifyingReader{Reader: bytes.NewReader(make([]byte, 100_000)), onFirstRead: func() { reading.Done(); <-begin }}
	}
	reading.Add(5)
	for i := range 12 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = d.Put("b", Object{Key: string(rune('a' + i))}, body(), 100_000, allow)
			} else {
				_, err = d.PutPart("b", "m", u.ID, i, body(), 100_000, noopComplete)
			}
			results <- err
		})
	}
	reading.Wait() // the 5 writers that have reserved space
	for range 7 {
		if err := <-results; !errors.Is(err, ErrFull) {
			t.Errorf("a writer without reserved space: %v", err)
		}
	}
	if _, err := d.PutAction("ns", "", "a", new(string), nil); err == nil {
		t.Error("an action was written although all space is reserved")
	}
	close(begin)
	wg.Wait()
	for range 5 {
		if err := <-results; err != nil {
			t.Errorf("a writer with reserved space: %v", err)
		}
	}
	if got := d.disk.reserved; got != 0 {
		t.Errorf("%d bytes are still reserved", got)
	}
}

func TestReservationGrowsWithWrites(t *testing.T) {
	d := open(t, t.TempDir(), Limits{FreeBytes: 100}, nil)
	setFreeBytes(d, 1100)
	reservation := must[*Reservation](t)(d.Disk().Reserve(400))
	defer reservation.Close()
	if _, err := d.Disk().Reserve(601); !errors.Is(err, ErrFull) {
		t.Errorf("1001 of 1000 bytes were reserved: %v", err)
	}
	other := must[*Reservation](t)(d.Disk().Reserve(600))
	w := reservation.Writer(io.Discard)
	if _, err := w.Write(make([]byte, 401)); !errors.Is(err, ErrFull) {
		t.Errorf("401 of 400 bytes were written: %v", err)
	}
	other.Close()
	other.Close()
	if _, err := w.Write(make([]byte, 401)); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

// Unfinished uploads count towards the limit and expire.
func TestUnfinishedUploadsAreBoundedAndExpire(t *testing.T) {
	now := time.UnixMilli(1_000_000_000_000)
	dir := t.TempDir()
	clock := func() time.Time { return now }
	d := open(t, dir, Limits{ObjectBytes: 300_000}, clock)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "old"}))
	must[Part](t)(d.PutPart("b", "old", u.ID, 1, bytes.NewReader(make([]byte, 100_000)), 100_000, noopComplete))
	meta := map[string]string{"X-Amz-Meta-M": string(bytes.Repeat([]byte("m"), 8000))}
	n := 0
	for ; n < 100; n++ {
		_, err := d.StartUpload(Upload{Bucket: "b", Key: "k", Meta: meta})
		if errors.Is(err, ErrFull) {
			break
		}
		ok(t, err)
	}
	if n < 10 || n > 30 {
		t.Fatalf("%d uploads with 8 KB each fit into 200 KB", n)
	}
	now = now.Add(8 * 24 * time.Hour)
	must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "new"}))
	var keys []string
	ok(t, d.Uploads("b", "", "", func(u Upload) bool { keys = append(keys, u.Key); return true }))
	if len(keys) != 1 || keys[0] != "new" || blobs(t, dir) != 0 {
		t.Fatalf("after 8 days there are %v and %d files", keys, blobs(t, dir))
	}
	now = now.Add(8 * 24 * time.Hour)
	ok(t, d.Close())
	d = open(t, dir, Limits{}, clock)
	ok(t, d.Uploads("b", "", "", func(u Upload) bool { t.Errorf("reopening keeps the expired upload %s", u.Key); return true }))
}

// Completing a multipart upload does not copy the parts: it needs no additional space, and a reader of the replaced
// object can continue.
func TestCompleteUploadDoesNotCopyParts(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	upload := func(fill byte) Upload {
		u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "k"}))
		for n := range 3 {
			must[Part](t)(d.PutPart("b", "k", u.ID, n+1, bytes.NewReader(bytes.Repeat([]byte{fill}, 100_000)), 100_000, noopComplete))
		}
		return u
	}
	u := upload('1')
	setFreeBytes(d, 256<<20+maxRecord) // less than the 300,000 bytes of a copy
	must[Object](t)(d.CompleteUpload("b", "k", u.ID, allParts))
	setFreeBytes(d, 1<<40)
	for _, c := range []struct{ offset, length int64 }{{0, 300_000}, {99_999, 2}, {150_000, 100_000}, {299_999, 1}, {300_000, 0}} {
		_, r, err := d.Open("b", "k", "", func(Object, []Part) (int64, int64, error) { return c.offset, c.length, nil })
		ok(t, err)
		if got := must[[]byte](t)(io.ReadAll(r)); int64(len(got)) != c.length || len(bytes.Trim(got, "1")) > 0 {
			t.Errorf("%+v: got %d bytes", c, len(got))
		}
		ok(t, r.Close())
	}
	_, r, err := d.Open("b", "k", "", wholeObject)
	ok(t, err)
	head := make([]byte, 50_000)
	must[int](t)(io.ReadFull(r, head))
	must[Object](t)(d.CompleteUpload("b", "k", upload('2').ID, allParts))
	rest := must[[]byte](t)(io.ReadAll(r))
	ok(t, r.Close())
	if len(rest) != 250_000 || bytes.Contains(rest, []byte("2")) {
		t.Errorf("the reader of the replaced object got %d of 250000 bytes", len(rest))
	}
	if n := blobs(t, dir); n != 3 {
		t.Errorf("%d files of 3 parts", n)
	}
	if got := get(t, d, "b", "k"); len(bytes.Trim(got, "2")) > 0 {
		t.Error("the content differs")
	}
}

// The cost of writing a part must not grow with the number of existing parts.
func TestPutPartCostIsIndependentOfPartCount(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "k"}))
	n := 0
	part := func() {
		n++
		must[Part](t)(d.PutPart("b", "k", u.ID, n, bytes.NewReader([]byte("x")), 1, noopComplete))
	}
	few := testing.AllocsPerRun(5, part)
	for n < 500 {
		part()
	}
	if many := testing.AllocsPerRun(5, part); many > 2*few {
		t.Errorf("%v allocations for a part among 500, %v among 5", many, few)
	}
}
