//go:build !windows

package plugin

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Tracing to a device or a pipe does not change its permissions. As root, it would otherwise make /dev/null
// inaccessible to other users.
func TestTraceKeepsPermissionsOfDevices(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := os.Chmod(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	tr, err := openTrace(pipe)
	if err != nil {
		t.Fatal(err)
	}
	tr.close()
	if st, err := os.Stat(pipe); err != nil || st.Mode().Perm() != fs.FileMode(0o666) {
		t.Errorf("%v %v", st.Mode(), err)
	}
}
