package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/bbolt"
)

// key joins parts with a zero byte, which names cannot contain.
func key(parts ...string) []byte { return []byte(strings.Join(parts, "\x00")) }

func read[T any](b *bbolt.Bucket, k []byte) (T, error) {
	data := b.Get(k)
	if data == nil {
		var none T
		return none, ErrNotFound
	}
	return decode[T](data)
}

func decode[T any](data []byte) (v T, err error) {
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return v, nil
}

// find is like read, but returns nil instead of an error if the record does not exist.
func find[T any](b *bbolt.Bucket, k []byte) (*T, error) {
	v, err := read[T](b, k)
	if err == ErrNotFound {
		return nil, nil
	}
	return &v, err
}

func write(b *bbolt.Bucket, k []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(k, data)
}

// page reads at most limit records whose key starts with prefix, after the first skip ones; limit -1 reads all.
func page[T any](b *bbolt.Bucket, prefix []byte, skip, limit int) ([]T, error) {
	out := []T{}
	err := each(b, prefix, skip, limit, func(rec T, _ error) bool {
		out = append(out, rec)
		return true
	})
	return out, err
}

// each yields the records that page returns, one at a time.
func each[T any](b *bbolt.Bucket, prefix []byte, skip, limit int, yield func(T, error) bool) error {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && limit != 0 && strings.HasPrefix(string(k), string(prefix)); k, v = c.Next() {
		if skip > 0 {
			skip--
			continue
		}
		rec, err := decode[T](v)
		if err != nil {
			return err
		}
		if !yield(rec, nil) {
			return nil
		}
		limit--
	}
	return nil
}

// inView yields the values that read yields within one transaction, and then its error, if any.
func inView[T any](d *DB, read func(tx *bbolt.Tx, yield func(T, error) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := d.view(func(tx *bbolt.Tx) error { return read(tx, yield) })
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

func count(b *bbolt.Bucket, prefix []byte) int {
	n := 0
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && strings.HasPrefix(string(k), string(prefix)); k, _ = c.Next() {
		n++
	}
	return n
}

// increment adds by to a counter and returns the new value.
func increment(tx *bbolt.Tx, name string, by int64) (int64, error) {
	b := tx.Bucket(bucketCounters)
	n := by
	if old := b.Get([]byte(name)); len(old) == 8 {
		n += int64(binary.BigEndian.Uint64(old))
	}
	return n, b.Put([]byte(name), binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func counter(tx *bbolt.Tx, name string) int64 {
	if old := tx.Bucket(bucketCounters).Get([]byte(name)); len(old) == 8 {
		return int64(binary.BigEndian.Uint64(old))
	}
	return 0
}
