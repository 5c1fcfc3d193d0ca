package state

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// Upload is an unfinished multipart upload. Bucket, Key, Meta and Tags are those of the object that it will create.
type Upload struct {
	ID      string            `json:"id"`
	Bucket  string            `json:"bucket"`
	Key     string            `json:"key"`
	Meta    map[string]string `json:"meta,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Sum     string            `json:"sum,omitempty"`      // name of the checksum's algorithm
	SumType string            `json:"sum_type,omitempty"` // COMPOSITE or FULL_OBJECT
	Started int64             `json:"started"`            // epoch ms
}

// Part is one part of an upload.
type Part struct {
	Number   int               `json:"number"`
	Size     int64             `json:"size"`
	ETag     string            `json:"etag"`     // hexadecimal MD5
	Modified int64             `json:"modified"` // epoch ms
	Sums     map[string]string `json:"sums,omitempty"`
	Blob     string            `json:"blob,omitempty"`
	Inline   []byte            `json:"inline,omitempty"`
}

func partKey(id string, number int) []byte { return key(id, fmt.Sprintf("%05d", number)) }

// expireEvery is the interval at which unfinished uploads are checked for expiry.
const expireEvery = time.Hour

// StartUpload starts a multipart upload with the metadata in u. It returns ErrNotFound if the bucket does not exist,
// and ErrFull if there is not enough space.
func (d *DB) StartUpload(u Upload) (Upload, error) {
	u.ID, u.Started = rand.Text(), d.now().UnixMilli()
	data, err := json.Marshal(u)
	if err != nil {
		return Upload{}, err
	}
	var orphans []string
	err = d.add(len(data), func(tx *bbolt.Tx) error {
		if _, err := objectsBucket(tx, u.Bucket); err != nil {
			return err
		}
		if orphans, err = d.expireUploads(tx); err != nil {
			return err
		}
		k := key(u.Bucket, u.Key, u.ID)
		if err := d.addBytes(tx, int64(len(k)+len(data))); err != nil {
			return err
		}
		return tx.Bucket(bucketUploads).Put(k, data)
	})
	if err != nil {
		return Upload{}, err
	}
	d.files.drop(orphans...)
	return u, nil
}

// expireUploads deletes the uploads that were not finished within Limits.UploadAge, and returns the files that can be
// removed.
func (d *DB) expireUploads(tx *bbolt.Tx) (orphans []string, err error) {
	now := d.now()
	if since := now.Sub(d.expired); since >= 0 && since < expireEvery {
		return nil, nil
	}
	var old []Upload
	err = tx.Bucket(bucketUploads).ForEach(func(_, v []byte) error {
		u, err := decode[Upload](v)
		if now.Sub(time.UnixMilli(u.Started)) > d.limits.UploadAge {
			old = append(old, u)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, u := range old {
		blobs, err := removeUpload(tx, u)
		if err != nil {
			return nil, err
		}
		orphans = append(orphans, blobs...)
	}
	d.expired = now
	return orphans, nil
}

// Uploads calls fn for each unfinished upload of a bucket whose key starts with prefix, ordered by key and ID, starting
// at the key from, until fn returns false. It returns ErrNotFound if the bucket does not exist.
func (d *DB) Uploads(bucket, prefix, from string, fn func(Upload) bool) error {
	return d.view(func(tx *bbolt.Tx) error {
		if _, err := objectsBucket(tx, bucket); err != nil {
			return err
		}
		all := string(key(bucket, prefix))
		c := tx.Bucket(bucketUploads).Cursor()
		for k, v := c.Seek(key(bucket, max(from, prefix))); strings.HasPrefix(string(k), all); k, v = c.Next() {
			u, err := decode[Upload](v)
			if err != nil {
				return err
			}
			if !fn(u) {
				return nil
			}
		}
		return nil
	})
}

// Upload reads an unfinished upload. It returns ErrNotFound if the upload does not exist.
func (d *DB) Upload(bucket, name, id string) (u Upload, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		u, err = read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		return err
	})
	return u, err
}

// Parts returns the parts of an upload without their bytes, sorted by number. The upload may be unfinished or
// completed.
func (d *DB) Parts(id string) (parts []Part, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		parts, err = partsOf(tx, id)
		return err
	})
	return parts, err
}

// partsOf reads the parts of an upload without the bytes of small parts, which together would need too much memory.
func partsOf(tx *bbolt.Tx, id string) (parts []Part, err error) {
	err = each(tx.Bucket(bucketParts), key(id, ""), 0, -1, func(p Part, _ error) bool {
		p.Inline = nil
		parts = append(parts, p)
		return true
	})
	return parts, err
}

// PutPart writes a part of an upload, and replaces an existing part with the same number. size is the expected number
// of bytes, or -1 if unknown. PutPart calls complete after it has received the bytes; complete may set fields of the
// part. PutPart returns ErrNotFound if the upload does not exist, and ErrFull if there is not enough space.
func (d *DB) PutPart(bucket, name, id string, number int, r io.Reader, size int64, complete func(*Part)) (Part, error) {
	upload := key(bucket, name, id)
	uploadExists := func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketUploads).Get(upload) == nil {
			return ErrNotFound
		}
		return nil
	}
	if err := d.view(uploadExists); err != nil {
		return Part{}, err
	}
	reservation, err := d.disk.Reserve(size)
	if err != nil {
		return Part{}, err
	}
	defer reservation.Close()
	c, err := d.files.receive(r, reservation, inlinePart)
	if err != nil {
		return Part{}, err
	}
	p := Part{Number: number, Size: c.Size, ETag: etag(c.MD5), Modified: d.now().UnixMilli(), Blob: c.Blob, Inline: c.Inline}
	complete(&p)
	k := partKey(id, number)
	data, err := json.Marshal(p)
	var old Part
	if err == nil {
		err = d.update(func(tx *bbolt.Tx) error {
			if err := uploadExists(tx); err != nil {
				return err
			}
			b := tx.Bucket(bucketParts)
			grown := p.cost(k, data)
			old = Part{}
			if v := b.Get(k); v != nil {
				if old, err = decode[Part](v); err != nil {
					return err
				}
				grown -= old.cost(k, v)
			}
			if err := d.addBytes(tx, grown); err != nil {
				return err
			}
			return b.Put(k, data)
		})
	}
	if err != nil {
		d.files.drop(p.Blob)
		return Part{}, err
	}
	d.files.drop(old.Blob)
	return p, nil
}

// AbortUpload deletes an upload with its parts. It returns ErrNotFound if the upload does not exist.
func (d *DB) AbortUpload(bucket, name, id string) error {
	var orphans []string
	err := d.update(func(tx *bbolt.Tx) error {
		u, err := read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		if err != nil {
			return err
		}
		orphans, err = removeUpload(tx, u)
		return err
	})
	if err == nil {
		d.files.drop(orphans...)
	}
	return err
}

func removeUpload(tx *bbolt.Tx, u Upload) (orphans []string, err error) {
	if orphans, err = removeParts(tx, u.ID, nil); err != nil {
		return nil, err
	}
	return orphans, deleteUploadRecord(tx, u)
}

// deleteUploadRecord deletes the record of an upload, but not its parts.
func deleteUploadRecord(tx *bbolt.Tx, u Upload) error {
	b, k := tx.Bucket(bucketUploads), key(u.Bucket, u.Key, u.ID)
	if _, err := increment(tx, objectBytes, -int64(len(k)+len(b.Get(k)))); err != nil {
		return err
	}
	return b.Delete(k)
}

// removeParts deletes the records of an upload's parts, except those in keep, and returns the files that can be
// removed.
func removeParts(tx *bbolt.Tx, id string, keep map[int]bool) (orphans []string, err error) {
	b := tx.Bucket(bucketParts)
	list, err := partsOf(tx, id)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if keep[p.Number] {
			continue
		}
		k := partKey(id, p.Number)
		if _, err := increment(tx, objectBytes, -p.cost(k, b.Get(k))); err != nil {
			return nil, err
		}
		if err := b.Delete(k); err != nil {
			return nil, err
		}
		orphans = append(orphans, p.Blob)
	}
	return orphans, nil
}

// CompleteUpload creates an object from an upload without copying the bytes of the parts. build receives the upload,
// its parts sorted by number, and the current version of the object, or nil if there is none. build returns the
// metadata of the object and the selected parts, and may be called twice. CompleteUpload returns ErrNotFound if the
// upload does not exist.
func (d *DB) CompleteUpload(bucket, name, id string, build func(u Upload, parts []Part, old *Object) (Object, []Part, error)) (o Object, err error) {
	var orphans []string
	err = d.add(maxRecord, func(tx *bbolt.Tx) error {
		u, err := read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		if err != nil {
			return err
		}
		parts, err := partsOf(tx, id)
		if err != nil {
			return err
		}
		old, err := currentObject(tx, bucket, name)
		if err != nil {
			return err
		}
		var chosen []Part
		if o, chosen, err = build(u, parts, old); err != nil {
			return err
		}
		o.Key, o.Meta, o.Tags, o.Upload, o.Size = name, u.Meta, u.Tags, id, 0
		keep := map[int]bool{}
		for _, p := range chosen {
			keep[p.Number] = true
			o.Size += p.Size
		}
		if orphans, err = removeParts(tx, id, keep); err != nil {
			return err
		}
		if err := deleteUploadRecord(tx, u); err != nil {
			return err
		}
		replaced, err := d.store(tx, bucket, &o, nil)
		orphans = append(orphans, replaced...)
		return err
	})
	if err != nil {
		return Object{}, err
	}
	d.files.drop(orphans...)
	return o, nil
}
