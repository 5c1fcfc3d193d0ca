package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// Object is an S3 object without its bytes.
type Object struct {
	Key      string            `json:"-"`
	Size     int64             `json:"size"`
	ETag     string            `json:"etag"` // hexadecimal MD5 of the bytes, also after a multipart upload
	Modified int64             `json:"modified"`
	Meta     map[string]string `json:"meta,omitempty"` // headers to give back
	Blob     string            `json:"blob,omitempty"`
}

// Bucket is an S3 bucket.
type Bucket struct {
	Name    string
	Created time.Time
}

// A record is the length of its JSON head in 4 bytes, the head, and the bytes of a small object.
func encodeObject(o Object, inline []byte) ([]byte, error) {
	head, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(head)+len(inline)), uint32(len(head)))
	return append(append(out, head...), inline...), nil
}

func decodeObject(v []byte) (o Object, inline []byte, err error) {
	if len(v) < 4 || int64(binary.BigEndian.Uint32(v)) > int64(len(v)-4) {
		return o, nil, errors.New("a record of the state is damaged")
	}
	n := 4 + int(binary.BigEndian.Uint32(v))
	return o, v[n:], json.Unmarshal(v[4:n], &o)
}

// Buckets lists all by name.
func (d *DB) Buckets() (list []Bucket, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketStores).ForEach(func(k, v []byte) error {
			list = append(list, Bucket{Name: string(k), Created: time.UnixMilli(int64(binary.BigEndian.Uint64(v)))})
			return nil
		})
	})
	return list, err
}

// HasBucket tells whether a bucket exists.
func (d *DB) HasBucket(name string) (ok bool, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		ok = tx.Bucket(bucketStores).Get([]byte(name)) != nil
		return nil
	})
	return ok, err
}

// CreateBucket makes one; ErrExists.
func (d *DB) CreateBucket(name string) error {
	return d.update(func(tx *bbolt.Tx) error {
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

// DeleteBucket removes an empty one; ErrNotFound, ErrNotEmpty. Unfinished uploads go with it.
func (d *DB) DeleteBucket(name string) error {
	var blobs []string
	err := d.update(func(tx *bbolt.Tx) error {
		blobs = nil
		objects, err := inBucket(tx, name)
		if err != nil {
			return err
		}
		if k, _ := objects.Cursor().First(); k != nil {
			return ErrNotEmpty
		}
		uploads, err := page[Upload](tx.Bucket(bucketUploads), key(name, ""), 0, -1)
		if err != nil {
			return err
		}
		for _, u := range uploads {
			gone, err := removeUpload(tx, u)
			if err != nil {
				return err
			}
			blobs = append(blobs, gone...)
		}
		if err := tx.Bucket(bucketObjects).DeleteBucket([]byte(name)); err != nil {
			return err
		}
		return tx.Bucket(bucketStores).Delete([]byte(name))
	})
	if err == nil {
		d.drop(blobs...)
	}
	return err
}

func inBucket(tx *bbolt.Tx, name string) (*bbolt.Bucket, error) {
	if b := tx.Bucket(bucketObjects).Bucket([]byte(name)); b != nil {
		return b, nil
	}
	return nil, ErrNotFound
}

// Objects calls each for the objects of a bucket whose key starts with prefix and comes after the key after, in key
// order, until it returns false. A seek that each returns besides moves on to the first key not below it.
func (d *DB) Objects(bucket, prefix, after string, each func(Object) (seek string, more bool)) error {
	return d.db.View(func(tx *bbolt.Tx) error {
		b, err := inBucket(tx, bucket)
		if err != nil {
			return err
		}
		c := b.Cursor()
		from := prefix
		if after != "" && after >= prefix {
			from = after
		}
		k, v := c.Seek([]byte(from))
		if k != nil && after != "" && string(k) == after {
			k, v = c.Next()
		}
		for k != nil && strings.HasPrefix(string(k), prefix) {
			o, _, err := decodeObject(v)
			if err != nil {
				return err
			}
			o.Key = string(k)
			seek, more := each(o)
			switch {
			case !more:
				return nil
			case seek != "":
				k, v = c.Seek([]byte(seek))
			default:
				k, v = c.Next()
			}
		}
		return nil
	})
}

// Open gives an object and a reader of its bytes. span maps its size to offset and length. ErrNotFound when bucket or
// object is not there.
func (d *DB) Open(bucket, name string, span func(size int64) (offset, length int64, err error)) (o Object, r io.ReadCloser, err error) {
	for range 3 { // an overwrite may remove the file between the read of its record and its opening
		var inline []byte
		err = d.db.View(func(tx *bbolt.Tx) error {
			b, err := inBucket(tx, bucket)
			if err != nil {
				return err
			}
			v := b.Get([]byte(name))
			if v == nil {
				return ErrNotFound
			}
			var data []byte
			if o, data, err = decodeObject(v); err != nil {
				return err
			}
			inline = append([]byte(nil), data...)
			return nil
		})
		if err != nil {
			return o, nil, err
		}
		o.Key = name
		offset, length, err := span(o.Size)
		if err != nil {
			return o, nil, err
		}
		r, err = d.open(o.Blob, inline, offset, length)
		if !errors.Is(err, os.ErrNotExist) {
			return o, r, err
		}
	}
	return o, nil, errors.New("the bytes of an object are missing")
}

// Put writes an object. allow sees the object that is there, nil when none is, in the transaction that replaces it.
func (d *DB) Put(bucket, name string, meta map[string]string, r io.Reader, size int64, allow func(old *Object) error) (Object, error) {
	if err := d.Room(size); err != nil {
		return Object{}, err
	}
	c, err := d.receive(r)
	if err != nil {
		return Object{}, err
	}
	o := Object{Key: name, Size: c.Size, ETag: etag(c.MD5), Meta: meta, Blob: c.Blob}
	return d.store(bucket, o, c.Inline, func(_ *bbolt.Tx, old *Object) ([]string, error) { return nil, allow(old) })
}

// store writes the record of an object whose bytes are there. before runs first in the transaction and gives further
// files to remove afterwards.
func (d *DB) store(bucket string, o Object, inline []byte, before func(tx *bbolt.Tx, old *Object) ([]string, error)) (Object, error) {
	o.Modified = d.now().UnixMilli()
	data, err := encodeObject(o, inline)
	var gone []string
	if err == nil {
		err = d.update(func(tx *bbolt.Tx) error {
			b, err := inBucket(tx, bucket)
			if err != nil {
				return err
			}
			var old *Object
			if v := b.Get([]byte(o.Key)); v != nil {
				have, _, err := decodeObject(v)
				if err != nil {
					return err
				}
				old = &have
			}
			if gone, err = before(tx, old); err != nil {
				return err
			}
			grown := o.Size
			if old != nil {
				grown -= old.Size
				gone = append(gone, old.Blob)
			}
			if err := d.grow(tx, grown); err != nil {
				return err
			}
			return b.Put([]byte(o.Key), data)
		})
	}
	if err != nil {
		d.drop(o.Blob)
		return Object{}, err
	}
	d.drop(gone...)
	return o, nil
}

// Delete removes objects; those that are not there are no error. ErrNotFound when the bucket is not there.
func (d *DB) Delete(bucket string, names ...string) error {
	var gone []string
	err := d.update(func(tx *bbolt.Tx) error {
		gone = nil
		b, err := inBucket(tx, bucket)
		if err != nil {
			return err
		}
		for _, name := range names {
			v := b.Get([]byte(name))
			if v == nil {
				continue
			}
			o, _, err := decodeObject(v)
			if err != nil {
				return err
			}
			gone = append(gone, o.Blob)
			if _, err := bump(tx, objectBytes, -o.Size); err != nil {
				return err
			}
			if err := b.Delete([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		d.drop(gone...)
	}
	return err
}

const objectBytes = "object_bytes"

// grow counts what is written. Several uploads may have found room at the same time: here it is theirs or not; errFull.
func (d *DB) grow(tx *bbolt.Tx, by int64) error {
	total, err := bump(tx, objectBytes, by)
	if err == nil && by > 0 && total > d.limits.ObjectBytes {
		return errFull
	}
	return err
}

// Room tells whether size more bytes fit below the limit of all objects, and leave enough of the disk free: a full disk
// would stop the endpoint and everything else of its user; errFull.
func (d *DB) Room(size int64) error {
	if left, known := free(d.blobs); known && left-max(size, 0) < d.limits.FreeBytes {
		return errFull
	}
	return d.db.View(func(tx *bbolt.Tx) error {
		if counter(tx, objectBytes)+max(size, 0) > d.limits.ObjectBytes {
			return errFull
		}
		return nil
	})
}
