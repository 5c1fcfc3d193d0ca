// Package atomicfile writes small files whole or not at all, also where several processes write the same one and where a
// process is killed while it does.
//
// The new content is written beside the file, under a name that follows from the file's and with a lock on it. So what a
// killed process leaves is used up by the next one that writes or removes the file, and nothing gathers.
//
// What may go in: the replacing and removing of files. What may not: what is in them.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The wait for another process that writes the same file: a write takes milliseconds.
const (
	pause = 10 * time.Millisecond
	tries = 500
)

// errBusy says that another process has been writing the file for seconds.
var errBusy = errors.New("another process is writing it")

// Write returns the file this content, readable and writable for its owner alone. Its folder must exist.
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

// Remove removes the file and what a killed process left beside it; nil when neither is there.
func Remove(path string) error {
	if f, err := OpenLocked(tempPath(path), 0); err == nil && f != nil { // a live process would have it
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

// write tries once; done is false when another process was in the way.
func write(path string, data []byte) (done bool, err error) {
	temp := tempPath(path)
	f, err := OpenLocked(temp, os.O_CREATE)
	if err != nil || f == nil {
		return false, err
	}
	defer f.Close() // what was written is on disk by then
	// A file that a killed process left may have other rights: before there is anything to read, it is ours alone.
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

func restrict(f *os.File) error {
	if closeFirst { // Windows: the folder's rights hold
		return nil
	}
	return f.Chmod(0o600)
}
