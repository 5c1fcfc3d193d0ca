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

// Object is the metadata of an S3 object, without its bytes.
type Object struct {
	Key      string            `json:"-"`
	Size     int64             `json:"size"`
	ETag     string            `json:"etag"`           // without quotes
	Modified int64             `json:"modified"`       // epoch ms
	Meta     map[string]string `json:"meta,omitempty"` // headers to return with the object
	Tags     map[string]string `json:"tags,omitempty"`
	Sums     map[string]string `json:"sums,omitempty"`     // checksums in base64, by the name of their algorithm
	Blob     string            `json:"blob,omitempty"`     // file of a large object
	Upload   string            `json:"upload,omitempty"`   // the multipart upload whose parts are the object's bytes
	Combined bool              `json:"combined,omitempty"` // Sums are checksums of the parts' checksums
	Version  string            `json:"version,omitempty"`  // empty in a bucket that never kept versions
	Marker   bool              `json:"marker,omitempty"`   // it is a delete marker, which has no bytes
	Latest   bool              `json:"-"`                  // it is the current version or the current delete marker; only Versions sets this field
}

// encodeObject encodes a record: the length of its JSON header in 4 bytes, the header, and the bytes of a small object.
func encodeObject(o Object, inline []byte) ([]byte, error) {
	if o.Version == nullVersion {
		o.Version = ""
	}
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

// Objects calls fn for each object of a bucket whose key starts with prefix and is greater than after, in key order,
// until fn returns false. If fn returns a seek key, Objects continues at the first key that is not less than the seek
// key.
func (d *DB) Objects(bucket, prefix, after string, fn func(Object) (seek string, more bool)) error {
	return d.view(func(tx *bbolt.Tx) error {
		b, err := objectsBucket(tx, bucket)
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
			seek, more := fn(o)
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

// Object reads the metadata of a version of an object; version "" is the current one. It returns ErrNotFound if the
// bucket or the object does not exist, and a DeleteMarkerError if the version is a delete marker.
func (d *DB) Object(bucket, name, version string) (Object, error) {
	var r record
	err := d.view(func(tx *bbolt.Tx) (err error) {
		r, err = lookup(tx, bucket, name, version)
		return err
	})
	return r.Object, err
}

// Open returns a version of an object and a reader of its bytes; version "" is the current one. span chooses offset and
// length. Its argument parts is set if the object was created by a multipart upload. Open returns ErrNotFound if the
// bucket or the object does not exist, and a DeleteMarkerError if the version is a delete marker.
func (d *DB) Open(bucket, name, version string, span func(o Object, parts []Part) (offset, length int64, err error)) (o Object, r io.ReadCloser, err error) {
	for range 3 { // another request may overwrite the object, so that its files are removed before they are opened
		var parts []Part
		var pieces []piece
		err = d.view(func(tx *bbolt.Tx) error {
			rec, err := lookup(tx, bucket, name, version)
			if err != nil {
				return err
			}
			if o = rec.Object; o.Upload == "" {
				pieces = []piece{{o.Blob, rec.inline, o.Size}}
				return nil
			}
			parts, err = d.parts.get(tx, o.Upload)
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
	return o, nil, errors.New("the content of an object is missing")
}

// Put writes the bytes of r as an object with the Meta and Tags of o. size is the expected number of bytes, or -1 if
// unknown. allow receives the current version, or nil if there is none, and the new version, whose fields it may set.
// It runs in the transaction that replaces the object, and may be called twice. Put returns ErrNotFound if the bucket
// does not exist, and ErrFull if there is not enough space.
func (d *DB) Put(bucket string, o Object, r io.Reader, size int64, allow func(old, o *Object) error) (Object, error) {
	reservation, err := d.disk.Reserve(size)
	if err != nil {
		return Object{}, err
	}
	defer reservation.Close()
	c, err := d.files.receive(r, reservation, inlineMax)
	if err != nil {
		return Object{}, err
	}
	o.Size, o.ETag, o.Blob = c.Size, etag(c.MD5), c.Blob
	var orphans []string
	err = d.update(func(tx *bbolt.Tx) error {
		old, err := currentObject(tx, bucket, o.Key)
		if err != nil {
			return err
		}
		if err := allow(old, &o); err != nil {
			return err
		}
		orphans, err = d.store(tx, bucket, &o, c.Inline)
		return err
	})
	if err != nil {
		d.files.drop(c.Blob)
		return Object{}, err
	}
	d.files.drop(orphans...)
	return o, nil
}

// store writes the record of an object as the current version. The bytes of the object must already be stored. It
// returns the files that can be removed after the transaction.
func (d *DB) store(tx *bbolt.Tx, bucket string, o *Object, inline []byte) (orphans []string, err error) {
	before := counter(tx, objectBytes)
	o.Modified = d.now().UnixMilli()
	if o.Version, orphans, err = retireCurrent(tx, bucket, o.Key); err != nil {
		return nil, err
	}
	b, err := objectsBucket(tx, bucket)
	if err != nil {
		return nil, err
	}
	if err := writeRecord(tx, b, []byte(o.Key), *o, inline); err != nil {
		return nil, err
	}
	return orphans, d.checkLimit(tx, before)
}

// Change updates the record of a version of an object, but not its bytes, and returns the new record; version "" is the
// current one. It returns ErrNotFound if the bucket or the object does not exist, a DeleteMarkerError if the version is
// a delete marker, and ErrFull if there is not enough space.
func (d *DB) Change(bucket, name, version string, change func(*Object)) (o Object, err error) {
	err = d.add(maxRecord, func(tx *bbolt.Tx) error {
		before := counter(tx, objectBytes)
		r, err := lookup(tx, bucket, name, version)
		if err != nil {
			return err
		}
		if err := r.deleteRecord(tx); err != nil {
			return err
		}
		change(&r.Object)
		o = r.Object
		if err := writeRecord(tx, r.in, r.at, o, r.inline); err != nil {
			return err
		}
		return d.checkLimit(tx, before)
	})
	return o, err
}
