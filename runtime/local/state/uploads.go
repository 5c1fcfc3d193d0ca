package state

import (
	"crypto/rand"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// Upload is an unfinished multipart upload.
type Upload struct {
	ID      string            `json:"id"`
	Bucket  string            `json:"bucket"`
	Key     string            `json:"key"`
	Meta    map[string]string `json:"meta,omitempty"`
	Started int64             `json:"started"` // epoch ms
}

// Part is one part of an upload.
type Part struct {
	Number   int    `json:"number"`
	Size     int64  `json:"size"`
	ETag     string `json:"etag"` // hexadecimal MD5
	Modified int64  `json:"modified"`
	Blob     string `json:"blob,omitempty"`
	Inline   []byte `json:"inline,omitempty"`
}

func partKey(id string, number int) []byte { return key(id, fmt.Sprintf("%05d", number)) }

// StartUpload begins a multipart upload; ErrNotFound when the bucket is not there.
func (d *DB) StartUpload(bucket, name string, meta map[string]string) (Upload, error) {
	u := Upload{ID: rand.Text(), Bucket: bucket, Key: name, Meta: meta, Started: d.now().UnixMilli()}
	return u, d.update(func(tx *bbolt.Tx) error {
		if _, err := inBucket(tx, bucket); err != nil {
			return err
		}
		return write(tx.Bucket(bucketUploads), key(bucket, name, u.ID), u)
	})
}

// Uploads lists the unfinished uploads of a bucket by key and id.
func (d *DB) Uploads(bucket string) (list []Upload, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		list, err = page[Upload](tx.Bucket(bucketUploads), key(bucket, ""), 0, -1)
		return err
	})
	return list, err
}

// Parts lists the parts of an upload by number; ErrNotFound.
func (d *DB) Parts(bucket, name, id string) (list []Part, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		list, err = parts(tx, bucket, name, id)
		return err
	})
	return list, err
}

func parts(tx *bbolt.Tx, bucket, name, id string) ([]Part, error) {
	if tx.Bucket(bucketUploads).Get(key(bucket, name, id)) == nil {
		return nil, ErrNotFound
	}
	return page[Part](tx.Bucket(bucketParts), key(id, ""), 0, -1)
}

// PutPart writes one part; a part of the same number is replaced.
func (d *DB) PutPart(bucket, name, id string, number int, r io.Reader, size int64) (Part, error) {
	if err := d.Room(size); err != nil {
		return Part{}, err
	}
	if _, err := d.Parts(bucket, name, id); err != nil {
		return Part{}, err
	}
	c, err := d.receive(r)
	if err != nil {
		return Part{}, err
	}
	p := Part{Number: number, Size: c.Size, ETag: etag(c.MD5), Modified: d.now().UnixMilli(), Blob: c.Blob, Inline: c.Inline}
	var old Part
	err = d.update(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketUploads).Get(key(bucket, name, id)) == nil {
			return ErrNotFound
		}
		var err error
		if old, err = read[Part](tx.Bucket(bucketParts), partKey(id, number)); err != nil && err != ErrNotFound {
			return err
		}
		if err := d.grow(tx, p.Size-old.Size); err != nil {
			return err
		}
		return write(tx.Bucket(bucketParts), partKey(id, number), p)
	})
	if err != nil {
		d.drop(p.Blob)
		return Part{}, err
	}
	d.drop(old.Blob)
	return p, nil
}

// AbortUpload forgets an upload with its parts; ErrNotFound.
func (d *DB) AbortUpload(bucket, name, id string) error {
	var gone []string
	err := d.update(func(tx *bbolt.Tx) error {
		u, err := read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		if err != nil {
			return err
		}
		gone, err = removeUpload(tx, u)
		return err
	})
	if err == nil {
		d.drop(gone...)
	}
	return err
}

func removeUpload(tx *bbolt.Tx, u Upload) (blobs []string, err error) {
	list, err := parts(tx, u.Bucket, u.Key, u.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		blobs = append(blobs, p.Blob)
		if _, err := bump(tx, objectBytes, -p.Size); err != nil {
			return nil, err
		}
		if err := tx.Bucket(bucketParts).Delete(partKey(u.ID, p.Number)); err != nil {
			return nil, err
		}
	}
	return blobs, tx.Bucket(bucketUploads).Delete(key(u.Bucket, u.Key, u.ID))
}

// CompleteUpload makes the chosen parts, in their order, one object and forgets the upload.
func (d *DB) CompleteUpload(bucket, name, id string, chosen []Part) (Object, error) {
	var u Upload
	err := d.db.View(func(tx *bbolt.Tx) (err error) {
		u, err = read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		return err
	})
	if err != nil {
		return Object{}, err
	}
	all := &partsReader{db: d, parts: chosen}
	c, err := d.receive(all)
	all.Close()
	if err != nil {
		return Object{}, err
	}
	o := Object{Key: name, Size: c.Size, ETag: etag(c.MD5), Meta: u.Meta, Blob: c.Blob}
	return d.store(bucket, o, c.Inline, func(tx *bbolt.Tx, _ *Object) ([]string, error) { return removeUpload(tx, u) })
}

// partsReader reads parts one after another, with one file open at a time.
type partsReader struct {
	db    *DB
	parts []Part
	now   io.ReadCloser
}

func (r *partsReader) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if len(r.parts) == 0 {
				return 0, io.EOF
			}
			next := r.parts[0]
			f, err := r.db.open(next.Blob, next.Inline, 0, next.Size)
			if err != nil {
				return 0, err
			}
			r.now, r.parts = f, r.parts[1:]
		}
		n, err := r.now.Read(p)
		if err == io.EOF {
			r.Close()
			if n == 0 {
				continue
			}
			err = nil
		}
		return n, err
	}
}

func (r *partsReader) Close() {
	if r.now != nil {
		_ = r.now.Close()
		r.now = nil
	}
}
