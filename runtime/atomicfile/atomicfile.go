// Package atomicfile replaces and removes small files atomically, even if several processes write the same file or a
// process is killed during a write.
//
// The new content is written to a locked temporary file in the same directory. The name of the temporary file is
// derived from the name of the file. If a killed process leaves a temporary file, the next Write of the same file
// reuses it and the next Remove deletes it, so temporary files do not accumulate.
//
// It does not interpret the content of files.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The wait for another process that writes the same file. A write takes milliseconds.
const (
	pause = 10 * time.Millisecond
	tries = 500
)

// errBusy reports that another process has been writing the file for seconds.
var errBusy = errors.New("another process is writing it")

// Write replaces the content of a file with data and restricts access to the owner. The directory must exist.
func Write(path string, data []byte) error {
	for range tries {
		done, err := write(path, data)
		if done || err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return &fs.PathError{Op: "write", Path: path, Err: errBusy}
}

// Remove removes a file and the temporary file that a killed process may have left. It returns nil if neither exists.
func Remove(path string) error {
	if f, err := OpenLocked(tempPath(path), 0); err == nil && f != nil { // a running process would hold the lock
		if closeFirst {
			_ = f.Close()
		}
		_ = os.Remove(tempPath(path))
		_ = f.Close()
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func tempPath(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
}

// write tries to replace the file once. It returns false without an error if another process holds the lock.
func write(path string, data []byte) (done bool, err error) {
	temp := tempPath(path)
	f, err := OpenLocked(temp, os.O_CREATE)
	if err != nil || f == nil {
		return false, err
	}
	defer f.Close() // the content has been synced to disk by then
	// A temporary file left by a killed process may have other permissions. Restrict them before the content is
	// written.
	if err = restrict(f); err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err = errors.Join(err, f.Truncate(int64(len(data))), f.Sync()); err != nil {
		return false, errors.Join(err, os.Remove(temp))
	}
	if closeFirst {
		if err := f.Close(); err != nil {
			return false, err
		}
	}
	return true, os.Rename(temp, path)
}

// restrict restricts access to a file to its owner.
func restrict(f *os.File) error {
	if closeFirst { // Windows: the permissions of the directory apply
		return nil
	}
	return f.Chmod(0o600)
}
