package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// format is the version of the record format. Increase it if a release could misread the records of an earlier one.
// Version 0 (no version stored, as in early releases) is read without conversion.
const format = 2

var keyFormat = []byte("format")

// guarded runs fn, which reads pages of the file, and turns panics and memory faults into ErrDamaged. bbolt trusts the
// pages: it panics if a page is invalid, and its memory mapping faults beyond the end of the file.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return fn()
}

// DamagedText is the message that clients receive for ErrDamaged while the endpoint runs. The next start reports the
// details.
const DamagedText = "The state of the local endpoint is damaged. Restart the endpoint: the error message of the start explains how to fix it."

// gate is checked before every transaction. If bbolt panics because of a damaged page while it begins a transaction or
// ends a write transaction, it does not release its locks, and the next caller would wait forever. The gate is then
// closed and rejects all further transactions.
type gate struct {
	mu     sync.Mutex
	closed bool
}

func (g *gate) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// begin begins a transaction. It returns ErrDamaged if the gate is closed or the file is damaged.
func (d *DB) begin(writable bool) (tx *bbolt.Tx, err error) {
	d.gate.mu.Lock()
	defer d.gate.mu.Unlock()
	if d.gate.closed {
		return nil, ErrDamaged
	}
	err = guarded(func() error {
		tx, err = d.db.Begin(writable)
		return err
	})
	d.gate.closed = errors.Is(err, ErrDamaged)
	return tx, err
}

// view runs fn in a read-only transaction. It returns ErrDamaged if the file was damaged after it was opened.
func (d *DB) view(fn func(tx *bbolt.Tx) error) error {
	tx, err := d.begin(false)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // Rollback cannot fail in a read-only transaction
	return guarded(func() error { return fn(tx) })
}

// change runs fn in a transaction and commits it if fn returns no error. It returns ErrDamaged in the same cases as
// view.
func (d *DB) change(fn func(tx *bbolt.Tx) error) error {
	tx, err := d.begin(true)
	if err != nil {
		return err
	}
	end := tx.Commit
	if err = guarded(func() error { return fn(tx) }); err != nil {
		end = tx.Rollback
	}
	if problem := guarded(end); errors.Is(problem, ErrDamaged) {
		d.gate.mu.Lock()
		defer d.gate.mu.Unlock()
		d.gate.closed = true
		return problem
	} else if err == nil {
		err = problem
	}
	return err
}

// openFile opens the state file. It returns ErrLocked if another process has it open, ErrDamaged if a page cannot be
// read, and ErrNewer if the record format is newer than this release supports.
func openFile(path string, options *bbolt.Options) (b *bbolt.DB, err error) {
	info, statErr := os.Stat(path)
	emptied := statErr == nil && info.Size() == 0
	err = guarded(func() error {
		b, err = bbolt.Open(path, 0o600, options)
		return err
	})
	var system *os.PathError
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrLocked
	case err == nil, errors.As(err, &system), errors.Is(err, ErrDamaged):
	default:
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, err
	}
	if emptied { // bbolt has initialized the empty file as a new one
		return nil, errors.Join(fmt.Errorf("%w: the file is empty", ErrDamaged), b.Close(), os.Truncate(path, 0))
	}
	err = guarded(func() error { return b.View(func(tx *bbolt.Tx) error { return checkPages(tx, path) }) })
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// checkPages reads all pages that a transaction can reach, and checks the record format.
func checkPages(tx *bbolt.Tx, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("%w: the file has %d of %d bytes", ErrDamaged, info.Size(), tx.Size())
	}
	if meta := tx.Bucket(bucketMeta); meta != nil {
		if v := meta.Get(keyFormat); v != nil {
			n, err := strconv.Atoi(string(v))
			if err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			if n > format {
				return ErrNewer
			}
		}
	}
	var walk func(b *bbolt.Bucket) error // reads the last byte of each key and value
	walk = func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			for _, data := range [][]byte{k, v} { // a damaged page may point beyond the end of the file
				if n := len(data); n > 0 {
					_ = bytes.Clone(data[n-1:])
				}
			}
			return nil
		})
	}
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
}
