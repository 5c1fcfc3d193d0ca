//go:build unix

package regular

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestReadDoesNotBlock(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(syscall.Mkfifo(path("pipe"), 0o600), os.Symlink("pipe", path("link")), os.WriteFile(path("file"), []byte("12345"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		path("pipe"): errNotRegular, path("link"): errNotRegular, dir: errNotRegular, "/dev/zero": errNotRegular, "/dev/tty": errNotRegular,
		path("none"): os.ErrNotExist, path("file"): nil,
	} {
		got := make(chan error, 1)
		go func() {
			_, err := Read(name, 5)
			got <- err
		}()
		select {
		case err := <-got:
			if !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: the reader waits", name)
		}
	}
	if _, err := Read(path("file"), 4); !errors.Is(err, errTooLarge) {
		t.Errorf("a file beyond the limit: %v, want %v", err, errTooLarge)
	}
	if data, err := Read(path("file"), 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestReadFileOrPipeReadsPipesToTheEnd(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := fmt.Sprintf("/dev/fd/%d", r.Fd()) // the path that a shell passes for <(...)
	written := make(chan error, 1)
	go func() {
		_, err := w.WriteString("12")
		time.Sleep(20 * time.Millisecond)
		_, err2 := w.WriteString("345")
		written <- errors.Join(err, err2, w.Close())
	}()
	var pipes PipeCache
	for range 2 {
		if data, err := pipes.Read(name, 5); err != nil || string(data) != "12345" {
			t.Errorf("got %q, %v", data, err)
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if data, err := ReadFileOrPipe(os.DevNull, 5); err != nil || len(data) != 0 {
		t.Errorf("the null device: %q, %v", data, err)
	}
	silent := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(silent, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFileOrPipe(silent, 5); !errors.Is(err, errNoWriter) {
		t.Errorf("a pipe without a writer: %v, want %v", err, errNoWriter)
	}
}
