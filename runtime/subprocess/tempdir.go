package subprocess

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fn-runtime/runtime/atomicfile"
)

// prefix is the prefix of directory names in the system's directory for temporary files.
const prefix = "fn-runtime-run-"

// TempDir is a directory for files that a child process reads. Only the current user can access it. A lock marks it as
// in use by this process or, if this process is killed, by its child, which inherits the lock on every system but
// Windows.
type TempDir struct {
	Path string
	lock *os.File
}

// NewTempDir creates a directory. It also removes the directories of processes that were killed together with their
// child.
func NewTempDir() (*TempDir, error) {
	sweep()
	for {
		dir, err := os.MkdirTemp("", prefix)
		if err != nil {
			return nil, err
		}
		lock, err := atomicfile.OpenLocked(filepath.Join(dir, "lock"), os.O_CREATE)
		switch {
		case err == nil && lock == nil, errors.Is(err, fs.ErrNotExist): // another process swept the directory in between
			continue
		case err == nil:
			inheritOnExec(lock)
		}
		// On a file system without locks, no other process can get a lock and sweep the directory either.
		return &TempDir{Path: dir, lock: lock}, nil
	}
}

// Remove removes the directory and its content.
func (f *TempDir) Remove() {
	_ = f.lock.Close() // Windows does not remove open files
	_ = os.RemoveAll(f.Path)
}

// sweep removes the directories that are no longer locked. A directory without a lock file is still being created.
func sweep() {
	all, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range all {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !ownedByUser(info) {
			continue
		}
		if lock, err := atomicfile.OpenLocked(filepath.Join(dir, "lock"), 0); err == nil && lock != nil {
			(&TempDir{Path: dir, lock: lock}).Remove()
		}
	}
}
