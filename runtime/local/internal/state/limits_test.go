package state

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// notifyingReader calls onFirstRead before its first read, so that tests can make concurrent writes overlap.
type notifyingReader struct {
	io.Reader
	onFirstRead func()
	once        sync.Once
}

func (r *notifyingReader) Read(b []byte) (int, error) {
	r.once.Do(r.onFirstRead)
	return r.Reader.Read(b)
}

func TestConcurrentUploadsStayWithinLimit(t *testing.T) {
	d := open(t, t.TempDir(), Limits{ObjectBytes: 10_000}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "m"}))
	var both, wg sync.WaitGroup
	both.Add(3)
	body := func() io.Reader {
		return &notifyingReader{Reader: bytes.NewReader(make([]byte, 6000)), onFirstRead: func() { both.Done(); both.Wait() }}
	}
	var mu sync.Mutex
	refused := 0
	count := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(err, ErrFull) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"x", "y"} {
		wg.Go(func() {
			_, err := d.Put("b", Object{Key: name}, body(), 6000, allow)
			count(err)
		})
	}
	wg.Go(func() {
		_, err := d.PutPart("b", "m", u.ID, 1, body(), 6000, noopComplete)
		count(err)
	})
	wg.Wait()
	if refused != 2 {
		t.Errorf("%d of 3 uploads of 6000 bytes are refused with a limit of 10000, want 2", refused)
	}
	if n := blobs(t, filepath.Dir(d.files.dir)); n != 0 {
		t.Errorf("%d files", n)
	}
}

// A single record that exceeds the limit must not evict itself.
func TestOversizedActivationIsNotEvicted(t *testing.T) {
	d := open(t, t.TempDir(), Limits{ActivationBytes: 1000}, nil)
	a := Activation{ID: strings.Repeat("a", 32), NamespaceID: "ns", Logs: []string{strings.Repeat("x", 2000)}}
	ok(t, d.Accept(a))
	ok(t, d.Finish(a))
	if _, err := d.Activation("ns", a.ID); err != nil {
		t.Errorf("an acknowledged activation is lost: %v", err)
	}
}
