//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// closeFirst is true on systems that cannot rename or remove an open file.
const closeFirst = false

// OpenLocked opens a file for reading and writing and locks it for this process. With os.O_CREATE in flag it creates a
// missing file. It returns nil without an error if another process holds the lock.
func OpenLocked(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil && isCurrent(f, path) {
		return f, nil
	}
	_ = f.Close()
	if err == nil || errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil // the previous holder of the lock may have renamed the file
	}
	return nil, err
}

func isCurrent(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}
