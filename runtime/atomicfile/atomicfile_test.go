package atomicfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestConcurrentWritesLeaveOneCompleteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				if err := Write(path, bytes.Repeat([]byte{byte('a' + i)}, 1000+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(path)
	if err != nil || len(data) < 1000 || len(data) != 1000+int(data[0]-'a') || bytes.Count(data, data[:1]) != len(data) {
		t.Errorf("incomplete: %d bytes, %v", len(data), err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestFileOfKilledWriterIsReused(t *testing.T) {
	for name, act := range map[string]func(string) error{
		"write":  func(path string) error { return Write(path, []byte("new")) },
		"remove": Remove,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		if err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.WriteFile(tempPath(path), []byte("half of something long"), 0o644)); err != nil {
			t.Fatal(err)
		}
		if err := act(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := names(t, dir)
		if name == "remove" && len(got) > 0 || name == "write" && len(got) != 1 {
			t.Errorf("%s: left %v", name, got)
		}
		if data, _ := os.ReadFile(path); name == "write" && string(data) != "new" {
			t.Errorf("it holds %q", data)
		}
	}
	if err := Remove(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}

func TestFailedWriteKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d") // a directory that is not empty cannot be replaced
	if err := errors.Join(os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, "x"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new")); err == nil {
		t.Error("no error")
	}
	if err := Write(filepath.Join(dir, "no", "directory"), nil); err == nil {
		t.Error("no error without a directory")
	}
}
