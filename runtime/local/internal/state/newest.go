package state

import (
	"encoding/binary"
	"strings"

	"go.etcd.io/bbolt"
)

// newestKey returns the key in bucketNewest of the record k of bucket. Keys of a namespace sort by the last change,
// newest first. updated is in epoch ms.
func newestKey(bucket []byte, ns string, updated int64, k []byte) []byte {
	return append(binary.BigEndian.AppendUint64(key(string(bucket), ns, ""), ^uint64(updated)), k...)
}

// eachNewest is like each, but yields the most recently changed record first. It does not read skipped records.
func eachNewest[T any](tx *bbolt.Tx, bucket []byte, ns string, prefix []byte, skip, limit int, yield func(T, error) bool) error {
	records := tx.Bucket(bucket)
	all := key(string(bucket), ns, "")
	c := tx.Bucket(bucketNewest).Cursor()
	for at, k := c.Seek(all); at != nil && limit != 0 && strings.HasPrefix(string(at), string(all)); at, k = c.Next() {
		if !strings.HasPrefix(string(k), string(prefix)) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		rec, err := read[T](records, k)
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

// orderNewest rebuilds bucketNewest, because earlier releases change records without updating this bucket.
func orderNewest(tx *bbolt.Tx) error {
	if err := tx.DeleteBucket(bucketNewest); err != nil {
		return err
	}
	order, err := tx.CreateBucket(bucketNewest)
	if err != nil {
		return err
	}
	for _, bucket := range [][]byte{bucketPackages, bucketActions} {
		err := tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			rec, err := decode[struct {
				Updated int64 `json:"updated"`
			}](v)
			if err != nil {
				return err
			}
			ns, _, _ := strings.Cut(string(k), "\x00")
			return order.Put(newestKey(bucket, ns, rec.Updated, k), k)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
