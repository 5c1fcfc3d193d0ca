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

// parting is a body whose reading waits until both uploads have begun.
type parting struct {
	io.Reader
	begun func()
	once  sync.Once
}

func (p *parting) Read(b []byte) (int, error) {
	p.once.Do(p.begun)
	return p.Reader.Read(b)
}

func TestUploadsAtOnceDoNotExceedTheLimit(t *testing.T) {
	d := open(t, t.TempDir(), Limits{ObjectBytes: 10_000}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload(Upload{Bucket: "b", Key: "m"}))
	var both, wg sync.WaitGroup
	both.Add(3)
	body := func() io.Reader {
		return &parting{Reader: bytes.NewReader(make([]byte, 6000)), begun: func() { both.Done(); both.Wait() }}
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
		_, err := d.PutPart("b", "m", u.ID, 1, body(), 6000, asItIs)
		count(err)
	})
	wg.Wait()
	if refused != 2 {
		t.Errorf("%d of 3 uploads of 6000 bytes are refused, where 10000 may be kept", refused)
	}
	if n := blobs(t, filepath.Dir(d.files.dir)); n != 0 {
		t.Errorf("%d files", n)
	}
}

// One record that is larger than all may be together must not take the others, or itself, with it.
func TestALargeRecordIsNotForgottenAtOnce(t *testing.T) {
	d := open(t, t.TempDir(), Limits{ActivationBytes: 1000}, nil)
	a := Activation{ID: strings.Repeat("a", 32), NamespaceID: "ns", Logs: []string{strings.Repeat("x", 2000)}}
	ok(t, d.Accept(a))
	ok(t, d.Finish(a))
	if _, err := d.Activation("ns", a.ID); err != nil {
		t.Errorf("an acknowledged activation is lost: %v", err)
	}
}
