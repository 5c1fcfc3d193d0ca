// Package regular reads files whose paths other users or programs may control. Reading does not block if a path refers
// to a pipe or a device instead of a regular file.
//
// It opens and reads files within size limits. It does not interpret their content.
package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// The reasons why a file is rejected, wrapped in an *fs.PathError.
var (
	errNotRegular = errors.New("it is not a regular file")
	errTooLarge   = errors.New("it is too large")
)

// Open opens a regular file for reading. It rejects a pipe, a device or a directory with errNotRegular and does not
// wait for a writer.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // opening a device may already have side effects
		err = refusal(path, errNotRegular)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|NonBlock, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() { // the file was replaced after the first check
		err = refusal(path, errNotRegular)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Read reads a regular file of at most limit bytes. It returns errTooLarge if the file is larger.
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

// refusal returns the error for a path that is rejected.
func refusal(path string, err error) error { return &fs.PathError{Op: "open", Path: path, Err: err} }
