package state

import (
	"go.etcd.io/bbolt"
)

// objectBytes is the name of the counter that Limits.ObjectBytes bounds. It counts the bytes of objects and parts and
// of their records, so that empty objects count as well.
const objectBytes = "object_bytes"

// maxMarker is an upper bound for the record of a delete marker without its key, in bytes.
const maxMarker = 1 << 10

// maxRecord is an upper bound for the record of an object without its bytes, in bytes.
const maxRecord = 64 << 10

func (o *Object) cost(k, v []byte) int64 {
	n := int64(len(k) + len(v))
	if o.Blob != "" {
		n += o.Size
	}
	return n
}

func (p *Part) cost(k, v []byte) int64 {
	n := int64(len(k) + len(v))
	if p.Blob != "" {
		n += p.Size
	}
	return n
}

// addBytes adds to the counter and returns ErrFull if the limit is exceeded. Concurrent uploads may all have reserved
// disk space; this check inside the transaction decides which of them fit.
func (d *DB) addBytes(tx *bbolt.Tx, by int64) error {
	total, err := increment(tx, objectBytes, by)
	if err == nil && by > 0 && total > d.limits.ObjectBytes {
		return ErrFull
	}
	return err
}

// checkLimit returns ErrFull if a transaction has increased the counter beyond the limit. before is the counter at the
// start of the transaction.
func (d *DB) checkLimit(tx *bbolt.Tx, before int64) error {
	if counter(tx, objectBytes) > max(before, d.limits.ObjectBytes) {
		return ErrFull
	}
	return nil
}

// recount sets the counter to the actual size, and returns the names of all files that are in a record.
func recount(tx *bbolt.Tx) (used map[string]bool, err error) {
	used = map[string]bool{}
	total := int64(0)
	for _, kind := range [][]byte{bucketObjects, bucketVersions} {
		all := tx.Bucket(kind)
		err = all.ForEachBucket(func(name []byte) error {
			return all.Bucket(name).ForEach(func(k, v []byte) error {
				o, _, err := decodeObject(k, v)
				used[o.Blob] = true
				total += o.cost(k, v)
				return err
			})
		})
		if err != nil {
			return nil, err
		}
	}
	err = tx.Bucket(bucketParts).ForEach(func(k, v []byte) error {
		p, err := decode[Part](v)
		used[p.Blob] = true
		total += p.cost(k, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = tx.Bucket(bucketUploads).ForEach(func(k, v []byte) error {
		total += int64(len(k) + len(v))
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = increment(tx, objectBytes, total-counter(tx, objectBytes))
	return used, err
}
