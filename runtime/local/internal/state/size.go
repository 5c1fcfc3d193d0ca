package state

import (
	"go.etcd.io/bbolt"
)

// objectBytes counts what Limits.ObjectBytes bounds: the bytes of objects and parts, and their records, which an object
// without bytes has too.
const objectBytes = "object_bytes"

// maxMarker is more than the record of a delete marker takes without its key.
const maxMarker = 1 << 10

// maxRecord is more than the record of an object takes without its bytes.
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

// grow counts what is written. Several uploads may have found room at the same time: here it is theirs or not; ErrFull.
func (d *DB) grow(tx *bbolt.Tx, by int64) error {
	total, err := bump(tx, objectBytes, by)
	if err == nil && by > 0 && total > d.limits.ObjectBytes {
		return ErrFull
	}
	return err
}

// within refuses a transaction that has grown the store beyond its limit; before is what the counter was; ErrFull.
func (d *DB) within(tx *bbolt.Tx, before int64) error {
	if counter(tx, objectBytes) > max(before, d.limits.ObjectBytes) {
		return ErrFull
	}
	return nil
}

// recount sets the counter to what is there, and gives the names of all files that belong to a record.
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
	_, err = bump(tx, objectBytes, total-counter(tx, objectBytes))
	return used, err
}
