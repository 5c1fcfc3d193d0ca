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
	d := open(t, t.TempDir(), Limits{ObjectBytes: 100}, nil)
	ok(t, d.CreateBucket("b"))
	u := must[Upload](t)(d.StartUpload("b", "m", nil))
	var both, wg sync.WaitGroup
	both.Add(3)
	body := func() io.Reader {
		return &parting{Reader: bytes.NewReader(make([]byte, 60)), begun: func() { both.Done(); both.Wait() }}
	}
	var mu sync.Mutex
	refused := 0
	count := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(err, errFull) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"x", "y"} {
		wg.Go(func() {
			_, err := d.Put("b", name, nil, body(), 60, allow)
			count(err)
		})
	}
	wg.Go(func() {
		_, err := d.PutPart("b", "m", u.ID, 1, body(), 60)
		count(err)
	})
	wg.Wait()
	if refused != 2 {
		t.Errorf("%d of 3 uploads of 60 bytes are refused, where 100 may be kept", refused)
	}
	if n := files(t, filepath.Dir(d.blobs)); n != 0 {
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
