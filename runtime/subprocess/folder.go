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

// Folder is a folder of this user's alone, for what a child is to find. A lock tells that it is in use: by this process or,
// where this one is killed, by its child, which has inherited the lock on every system but Windows.
type Folder struct {
	Path string
	lock *os.File
}

// NewFolder makes a folder, and removes those of processes that were killed with their child before they could.
func NewFolder() (*Folder, error) {
	sweep()
	for {
		dir, err := os.MkdirTemp("", prefix)
		if err != nil {
			return nil, err
		}
		lock, err := atomicfile.Own(filepath.Join(dir, "lock"), os.O_CREATE)
		switch {
		case err == nil && lock == nil, errors.Is(err, fs.ErrNotExist): // a sweep came between
			continue
		case err == nil:
			inherited(lock)
		}
		// A file system without locks has none for a sweep either.
		return &Folder{Path: dir, lock: lock}, nil
	}
}

// Remove removes the folder with what is in it.
func (f *Folder) Remove() {
	_ = f.lock.Close() // Windows removes no file that is open
	_ = os.RemoveAll(f.Path)
}

// sweep removes the folders that nobody has locked any more. One that has no lock yet is being made.
func sweep() {
	all, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range all {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !mine(info) {
			continue
		}
		if lock, err := atomicfile.Own(filepath.Join(dir, "lock"), 0); err == nil && lock != nil {
			(&Folder{Path: dir, lock: lock}).Remove()
		}
	}
}
