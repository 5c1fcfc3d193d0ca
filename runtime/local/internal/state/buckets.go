package state

import (
	"encoding/binary"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// Bucket is an S3 bucket.
type Bucket struct {
	Name    string
	Created time.Time
}

// Buckets returns all buckets, sorted by name.
func (d *DB) Buckets() (list []Bucket, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketStores).ForEach(func(k, v []byte) error {
			if len(v) != 8 {
				return ErrDamaged
			}
			list = append(list, Bucket{Name: string(k), Created: time.UnixMilli(int64(binary.BigEndian.Uint64(v)))})
			return nil
		})
	})
	return list, err
}

// HasBucket reports whether a bucket exists.
func (d *DB) HasBucket(name string) (ok bool, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		ok = tx.Bucket(bucketStores).Get([]byte(name)) != nil
		return nil
	})
	return ok, err
}

// CreateBucket creates a bucket. It returns ErrExists if the bucket exists.
func (d *DB) CreateBucket(name string) error {
	return d.add(len(name), func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketStores)
		if b.Get([]byte(name)) != nil {
			return ErrExists
		}
		if _, err := tx.Bucket(bucketObjects).CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
		return b.Put([]byte(name), binary.BigEndian.AppendUint64(nil, uint64(d.now().UnixMilli())))
	})
}

// DeleteBucket deletes a bucket with its settings and unfinished uploads. It returns ErrNotFound if the bucket does not
// exist, and ErrNotEmpty if it contains objects or versions.
func (d *DB) DeleteBucket(name string) error {
	var orphans []string
	err := d.update(func(tx *bbolt.Tx) error {
		orphans = nil
		objects, err := objectsBucket(tx, name)
		if err != nil {
			return err
		}
		if k, _ := objects.Cursor().First(); k != nil {
			return ErrNotEmpty
		}
		if versions := archive(tx, name); versions != nil {
			if k, _ := versions.Cursor().First(); k != nil {
				return ErrNotEmpty
			}
			if err := tx.Bucket(bucketVersions).DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		uploads, err := page[Upload](tx.Bucket(bucketUploads), key(name, ""), 0, -1)
		if err != nil {
			return err
		}
		for _, u := range uploads {
			blobs, err := removeUpload(tx, u)
			if err != nil {
				return err
			}
			orphans = append(orphans, blobs...)
		}
		c, prefix := tx.Bucket(bucketSettings).Cursor(), key(name, "")
		for k, _ := c.Seek(prefix); strings.HasPrefix(string(k), string(prefix)); k, _ = c.Seek(prefix) {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketObjects).DeleteBucket([]byte(name)); err != nil {
			return err
		}
		return tx.Bucket(bucketStores).Delete([]byte(name))
	})
	if err == nil {
		d.files.drop(orphans...)
	}
	return err
}

// objectsBucket returns the nested bucket with the objects of an S3 bucket, or ErrNotFound if the S3 bucket does not
// exist.
func objectsBucket(tx *bbolt.Tx, name string) (*bbolt.Bucket, error) {
	if b := tx.Bucket(bucketObjects).Bucket([]byte(name)); b != nil {
		return b, nil
	}
	return nil, ErrNotFound
}

// Setting reads a setting that PutSetting stored for a bucket, or nil if it is not set. It returns ErrNotFound if the
// bucket does not exist.
func (d *DB) Setting(bucket, name string) (value []byte, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		if _, err := objectsBucket(tx, bucket); err != nil {
			return err
		}
		value = append(value, tx.Bucket(bucketSettings).Get(key(bucket, name))...)
		return nil
	})
	return value, err
}

// PutSetting stores a setting of a bucket; a nil value deletes it. It returns ErrNotFound if the bucket does not exist.
func (d *DB) PutSetting(bucket, name string, value []byte) error {
	return d.add(len(value), func(tx *bbolt.Tx) error {
		if _, err := objectsBucket(tx, bucket); err != nil {
			return err
		}
		if value == nil {
			return tx.Bucket(bucketSettings).Delete(key(bucket, name))
		}
		return tx.Bucket(bucketSettings).Put(key(bucket, name), value)
	})
}
