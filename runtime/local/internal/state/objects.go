package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.etcd.io/bbolt"
)

// Object is an S3 object without its bytes.
type Object struct {
	Key      string            `json:"-"`
	Size     int64             `json:"size"`
	ETag     string            `json:"etag"`               // without quotes
	Modified int64             `json:"modified"`           // epoch ms
	Meta     map[string]string `json:"meta,omitempty"`     // headers to give back
	Tags     map[string]string `json:"tags,omitempty"`     //
	Sums     map[string]string `json:"sums,omitempty"`     // checksums in base64 by the name of their algorithm
	Blob     string            `json:"blob,omitempty"`     // file of a large one
	Upload   string            `json:"upload,omitempty"`   // the multipart upload whose parts are its bytes
	Combined bool              `json:"combined,omitempty"` // whether Sums are checksums of the parts' checksums
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

func decodeObject(k, v []byte) (o Object, inline []byte, err error) {
	if len(v) < 4 || int64(binary.BigEndian.Uint32(v)) > int64(len(v)-4) {
		return o, nil, fmt.Errorf("%w: the record of an object", ErrDamaged)
	}
	n := 4 + int(binary.BigEndian.Uint32(v))
	if err := json.Unmarshal(v[4:n], &o); err != nil {
		return o, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	o.Key = string(k)
	return o, v[n:], nil
}

// lookup reads one object of a bucket, with a copy of the bytes of a small one; ErrNotFound.
func lookup(tx *bbolt.Tx, bucket, name string) (o Object, inline []byte, err error) {
	b, err := inBucket(tx, bucket)
	if err != nil {
		return o, nil, err
	}
	v := b.Get([]byte(name))
	if v == nil {
		return o, nil, ErrNotFound
	}
	o, inline, err = decodeObject([]byte(name), v)
	return o, append([]byte(nil), inline...), err
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
			o, _, err := decodeObject(k, v)
			if err != nil {
				return err
			}
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

// Object reads an object without its bytes; ErrNotFound when bucket or object is not there.
func (d *DB) Object(bucket, name string) (o Object, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		o, _, err = lookup(tx, bucket, name)
		return err
	})
	return o, err
}

// Open gives an object and a reader of its bytes. span chooses offset and length; parts are those of an object that a
// multipart upload made. ErrNotFound when bucket or object is not there.
func (d *DB) Open(bucket, name string, span func(o Object, parts []Part) (offset, length int64, err error)) (o Object, r io.ReadCloser, err error) {
	for range 3 { // an overwrite may drop the files between the read of the record and their opening
		var parts []Part
		var pieces []piece
		err = d.db.View(func(tx *bbolt.Tx) error {
			var inline []byte
			if o, inline, err = lookup(tx, bucket, name); err != nil {
				return err
			}
			if o.Upload == "" {
				pieces = []piece{{o.Blob, inline, o.Size}}
				return nil
			}
			parts, err = page[Part](tx.Bucket(bucketParts), key(o.Upload, ""), 0, -1) // all but the last are too large for their records
			for _, p := range parts {
				pieces = append(pieces, piece{p.Blob, p.Inline, p.Size})
			}
			return err
		})
		if err != nil {
			return o, nil, err
		}
		offset, length, err := span(o, parts)
		if err != nil {
			return o, nil, err
		}
		r, err := d.files.read(pieces, offset, length)
		if err == nil {
			return o, r, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return o, nil, err
		}
	}
	return o, nil, errors.New("the bytes of an object are missing")
}

// Put writes the bytes of r as an object with the Meta and Tags of o; size is how many are expected, -1 unknown. allow
// sees the object that is there, nil when none is, and may complete the new one, in the transaction that replaces it; it
// may be called twice. ErrNotFound when the bucket is not there, ErrFull.
func (d *DB) Put(bucket string, o Object, r io.Reader, size int64, allow func(old, o *Object) error) (Object, error) {
	room, err := d.disk.Reserve(size)
	if err != nil {
		return Object{}, err
	}
	defer room.Close()
	c, err := d.files.receive(r, room)
	if err != nil {
		return Object{}, err
	}
	o.Size, o.ETag, o.Blob = c.Size, etag(c.MD5), c.Blob
	var gone []string
	err = d.update(func(tx *bbolt.Tx) error {
		old, err := existing(tx, bucket, o.Key)
		if err != nil {
			return err
		}
		if err := allow(old, &o); err != nil {
			return err
		}
		gone, err = d.store(tx, bucket, &o, c.Inline)
		return err
	})
	if err != nil {
		d.files.drop(c.Blob)
		return Object{}, err
	}
	d.files.drop(gone...)
	return o, nil
}

// existing is lookup for an object that need not be there: nil. ErrNotFound when the bucket is not.
func existing(tx *bbolt.Tx, bucket, name string) (*Object, error) {
	if _, err := inBucket(tx, bucket); err != nil {
		return nil, err
	}
	o, _, err := lookup(tx, bucket, name)
	if err == ErrNotFound {
		return nil, nil
	}
	return &o, err
}

// store writes the record of an object whose bytes are there, in the place of one that may be there, and gives the files
// that can be dropped afterwards.
func (d *DB) store(tx *bbolt.Tx, bucket string, o *Object, inline []byte) (gone []string, err error) {
	before := counter(tx, objectBytes)
	o.Modified = d.now().UnixMilli()
	if gone, err = removeObject(tx, bucket, o.Key); err != nil {
		return nil, err
	}
	data, err := encodeObject(*o, inline)
	if err != nil {
		return nil, err
	}
	b, err := inBucket(tx, bucket)
	if err != nil {
		return nil, err
	}
	total, err := bump(tx, objectBytes, o.cost([]byte(o.Key), data))
	if err != nil {
		return nil, err
	}
	if total > max(before, d.limits.ObjectBytes) {
		return nil, ErrFull
	}
	return gone, b.Put([]byte(o.Key), data)
}

// Change rewrites the record of an object, not its bytes; ErrNotFound when bucket or object is not there, ErrFull.
func (d *DB) Change(bucket, name string, change func(*Object)) error {
	return d.add(maxRecord, func(tx *bbolt.Tx) error {
		o, inline, err := lookup(tx, bucket, name)
		if err != nil {
			return err
		}
		b, err := inBucket(tx, bucket)
		if err != nil {
			return err
		}
		before := o.cost(b.Get([]byte(name)), nil)
		change(&o)
		data, err := encodeObject(o, inline)
		if err != nil {
			return err
		}
		if err := d.grow(tx, o.cost(data, nil)-before); err != nil {
			return err
		}
		return b.Put([]byte(name), data)
	})
}

// Delete removes objects; those that are not there are no error. allow, which may be nil, sees each before, nil when it is
// not there, and keeps it with false; it may be called twice. ErrNotFound when the bucket is not there.
func (d *DB) Delete(bucket string, allow func(name string, old *Object) bool, names ...string) error {
	var gone []string
	err := d.update(func(tx *bbolt.Tx) error {
		gone = nil
		for _, name := range names {
			old, err := existing(tx, bucket, name)
			if err != nil {
				return err
			}
			if allow != nil && !allow(name, old) {
				continue
			}
			blobs, err := removeObject(tx, bucket, name)
			if err != nil {
				return err
			}
			gone = append(gone, blobs...)
		}
		return nil
	})
	if err == nil {
		d.files.drop(gone...)
	}
	return err
}

// removeObject removes the record of an object, if it is there, and gives the files that can be dropped.
func removeObject(tx *bbolt.Tx, bucket, name string) (gone []string, err error) {
	b, err := inBucket(tx, bucket)
	if err != nil {
		return nil, err
	}
	v := b.Get([]byte(name))
	if v == nil {
		return nil, nil
	}
	o, _, err := decodeObject([]byte(name), v)
	if err != nil {
		return nil, err
	}
	if _, err := bump(tx, objectBytes, -o.cost([]byte(name), v)); err != nil {
		return nil, err
	}
	if o.Upload != "" {
		if gone, err = removeParts(tx, o.Upload, nil); err != nil {
			return nil, err
		}
	}
	return append(gone, o.Blob), b.Delete([]byte(name))
}
