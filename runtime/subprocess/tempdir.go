package subprocess

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fn-runtime/runtime/atomicfile"
)

// prefix begins the names of folders in the system's folder for temporary files.
const prefix = "fn-runtime-run-"

// TempDir is a folder of this user's alone, for what a child is to find. A lock tells that it is in use: by this process or,
// where this one is killed, by its child, which has inherited the lock on every system but Windows.
type TempDir struct {
	Path string
	lock *os.File
}

// NewTempDir makes a folder, and removes those of processes that were killed with their child before they could.
func NewTempDir() (*TempDir, error) {
	sweep()
	for {
		dir, err := os.MkdirTemp("", prefix)
		if err != nil {
			return nil, err
		}
		lock, err := atomicfile.OpenLocked(filepath.Join(dir, "lock"), os.O_CREATE)
		switch {
		case err == nil && lock == nil, errors.Is(err, fs.ErrNotExist): // a sweep came between
			continue
		case err == nil:
			inheritOnExec(lock)
		}
		// A file system without locks has none for a sweep either.
		return &TempDir{Path: dir, lock: lock}, nil
	}
}

// Remove removes the folder with what is in it.
func (f *TempDir) Remove() {
	_ = f.lock.Close() // Windows removes no file that is open
	_ = os.RemoveAll(f.Path)
}

// sweep removes the folders that nobody has locked any more. One that has no lock yet is being made.
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
