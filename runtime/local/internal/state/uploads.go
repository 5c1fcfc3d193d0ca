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

// Upload is an unfinished multipart upload. Object is what it will make, without its bytes.
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

// expireEvery is how often unfinished uploads are looked through.
const expireEvery = time.Hour

// StartUpload begins a multipart upload with what u says of the object; ErrNotFound when the bucket is not there, ErrFull.
func (d *DB) StartUpload(u Upload) (Upload, error) {
	u.ID, u.Started = rand.Text(), d.now().UnixMilli()
	data, err := json.Marshal(u)
	if err != nil {
		return Upload{}, err
	}
	var gone []string
	err = d.add(len(data), func(tx *bbolt.Tx) error {
		if _, err := inBucket(tx, u.Bucket); err != nil {
			return err
		}
		if gone, err = d.expire(tx); err != nil {
			return err
		}
		k := key(u.Bucket, u.Key, u.ID)
		if err := d.grow(tx, int64(len(k)+len(data))); err != nil {
			return err
		}
		return tx.Bucket(bucketUploads).Put(k, data)
	})
	if err != nil {
		return Upload{}, err
	}
	d.files.drop(gone...)
	return u, nil
}

// expire forgets the uploads that nobody has finished for so long as the limits say.
func (d *DB) expire(tx *bbolt.Tx) (gone []string, err error) {
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
		gone = append(gone, blobs...)
	}
	d.expired = now
	return gone, nil
}

// Uploads calls each for the unfinished uploads of a bucket whose key starts with prefix, by key and id, from the key
// from on, until it returns false; ErrNotFound when the bucket is not there.
func (d *DB) Uploads(bucket, prefix, from string, each func(Upload) bool) error {
	return d.view(func(tx *bbolt.Tx) error {
		if _, err := inBucket(tx, bucket); err != nil {
			return err
		}
		all := string(key(bucket, prefix))
		c := tx.Bucket(bucketUploads).Cursor()
		for k, v := c.Seek(key(bucket, max(from, prefix))); strings.HasPrefix(string(k), all); k, v = c.Next() {
			u, err := decode[Upload](v)
			if err != nil {
				return err
			}
			if !each(u) {
				return nil
			}
		}
		return nil
	})
}

// Upload reads an unfinished upload; ErrNotFound.
func (d *DB) Upload(bucket, name, id string) (u Upload, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		u, err = read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		return err
	})
	return u, err
}

// Parts reads the parts of an upload by number, without their bytes, also those of one that has become an object.
func (d *DB) Parts(id string) (parts []Part, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		parts, err = partsOf(tx, id)
		return err
	})
	return parts, err
}

// partsOf reads the parts of an upload without what small ones have in their records: all of them would be a lot.
func partsOf(tx *bbolt.Tx, id string) (parts []Part, err error) {
	err = each(tx.Bucket(bucketParts), key(id, ""), 0, -1, func(p Part, _ error) bool {
		p.Inline = nil
		parts = append(parts, p)
		return true
	})
	return parts, err
}

// PutPart writes one part of size bytes, -1 unknown; a part of the same number is replaced. complete, called once the
// bytes are there, may add to it. ErrNotFound when the upload is not there, ErrFull.
func (d *DB) PutPart(bucket, name, id string, number int, r io.Reader, size int64, complete func(*Part)) (Part, error) {
	upload := key(bucket, name, id)
	there := func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketUploads).Get(upload) == nil {
			return ErrNotFound
		}
		return nil
	}
	if err := d.view(there); err != nil {
		return Part{}, err
	}
	room, err := d.disk.Reserve(size)
	if err != nil {
		return Part{}, err
	}
	defer room.Close()
	c, err := d.files.receive(r, room, inlinePart)
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
			if err := there(tx); err != nil {
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
			if err := d.grow(tx, grown); err != nil {
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
		d.files.drop(gone...)
	}
	return err
}

func removeUpload(tx *bbolt.Tx, u Upload) (gone []string, err error) {
	if gone, err = removeParts(tx, u.ID, nil); err != nil {
		return nil, err
	}
	return gone, forgetUpload(tx, u)
}

// forgetUpload removes the record of an upload, not its parts.
func forgetUpload(tx *bbolt.Tx, u Upload) error {
	b, k := tx.Bucket(bucketUploads), key(u.Bucket, u.Key, u.ID)
	if _, err := bump(tx, objectBytes, -int64(len(k)+len(b.Get(k)))); err != nil {
		return err
	}
	return b.Delete(k)
}

// removeParts removes the records of an upload's parts but those to keep, and gives the files that can be dropped.
func removeParts(tx *bbolt.Tx, id string, keep map[int]bool) (gone []string, err error) {
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
		if _, err := bump(tx, objectBytes, -p.cost(k, b.Get(k))); err != nil {
			return nil, err
		}
		if err := b.Delete(k); err != nil {
			return nil, err
		}
		gone = append(gone, p.Blob)
	}
	return gone, nil
}

// CompleteUpload makes an object of an upload: its parts become the object's bytes where they are, without a copy. make
// says which parts are chosen and what is to be known of the object; it sees the upload, its parts by number, and the
// current version of the object, nil when there is none, and may be called twice. ErrNotFound when the upload is not there.
func (d *DB) CompleteUpload(bucket, name, id string, make func(u Upload, parts []Part, old *Object) (Object, []Part, error)) (o Object, err error) {
	var gone []string
	err = d.add(maxRecord, func(tx *bbolt.Tx) error {
		u, err := read[Upload](tx.Bucket(bucketUploads), key(bucket, name, id))
		if err != nil {
			return err
		}
		parts, err := partsOf(tx, id)
		if err != nil {
			return err
		}
		old, err := existing(tx, bucket, name)
		if err != nil {
			return err
		}
		var chosen []Part
		if o, chosen, err = make(u, parts, old); err != nil {
			return err
		}
		o.Key, o.Meta, o.Tags, o.Upload, o.Size = name, u.Meta, u.Tags, id, 0
		keep := map[int]bool{}
		for _, p := range chosen {
			keep[p.Number] = true
			o.Size += p.Size
		}
		if gone, err = removeParts(tx, id, keep); err != nil {
			return err
		}
		if err := forgetUpload(tx, u); err != nil {
			return err
		}
		replaced, err := d.store(tx, bucket, &o, nil)
		gone = append(gone, replaced...)
		return err
	})
	if err != nil {
		return Object{}, err
	}
	d.files.drop(gone...)
	return o, nil
}
