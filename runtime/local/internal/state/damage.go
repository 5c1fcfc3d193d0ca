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

// format is the version of what the records mean. It grows when a program could misread those of an earlier one; what
// states of releases before it had, 0, is read as it is.
const format = 2

var keyFormat = []byte("format")

// guarded runs fn, which reads pages of the file. bbolt trusts them: it panics where a page is not what it should be, and
// reads through a mapping that faults beyond the end of the file. Both become ErrDamaged.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return fn()
}

// DamagedText is what clients are told of ErrDamaged while the endpoint runs; the next start says more.
const DamagedText = "The state of the local endpoint is damaged. Stop the endpoint and start it again: it then says what to do."

// gate is before every transaction. bbolt keeps its locks when it panics over a page while it begins a transaction or ends
// one that writes; who came then would wait for ever, so nobody gets past it afterwards.
type gate struct {
	mu     sync.Mutex
	closed bool
}

func (g *gate) shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// begin begins a transaction; ErrDamaged.
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

// view runs fn in a transaction that changes nothing; ErrDamaged where the file was damaged since it was opened.
func (d *DB) view(fn func(tx *bbolt.Tx) error) error {
	tx, err := d.begin(false)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of what was only read it does not fail
	return guarded(func() error { return fn(tx) })
}

// change runs fn in a transaction that is committed when it returns no error; ErrDamaged as view.
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

// openFile opens the file of the state when all its pages can be read and this program knows what they mean: ErrLocked,
// ErrDamaged, ErrNewer.
func openFile(path string, options *bbolt.Options) (b *bbolt.DB, err error) {
	info, missing := os.Stat(path)
	emptied := missing == nil && info.Size() == 0
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
	if emptied { // bbolt has taken it for a new one
		return nil, errors.Join(fmt.Errorf("%w: it is empty", ErrDamaged), b.Close(), os.Truncate(path, 0))
	}
	err = guarded(func() error { return b.View(func(tx *bbolt.Tx) error { return readable(tx, path) }) })
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// readable walks through all pages that a transaction can reach.
func readable(tx *bbolt.Tx, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("%w: it has %d bytes of %d", ErrDamaged, info.Size(), tx.Size())
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
	var walk func(b *bbolt.Bucket) error // with a look at the end of what it finds
	walk = func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			for _, data := range [][]byte{k, v} { // a page may say that they are where no file is
				if n := len(data); n > 0 {
					_ = bytes.Clone(data[n-1:])
				}
			}
			return nil
		})
	}
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
}
