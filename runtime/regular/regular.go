// Package regular reads files that others may have made: nothing in the place of a file can make the reader wait.
//
// What may go in: opening and reading within bounds. What may not: what files hold.
package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// What is wrong with a file, inside an *fs.PathError.
var (
	errNotRegular = errors.New("it is not a regular file")
	errTooLarge   = errors.New("it is too large")
)

// Open opens a regular file for reading. A pipe, a device or a folder is refused with errNotRegular, without waiting for
// whoever is at its other end.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // opening a device may already do something
		err = refusal(path, errNotRegular)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|NonBlock, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() { // it took the file's place
		err = refusal(path, errNotRegular)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Read reads a regular file of at most limit bytes; a larger one is errTooLarge.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = refusal(path, errTooLarge)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func refusal(path string, err error) error { return &fs.PathError{Op: "open", Path: path, Err: err} }
