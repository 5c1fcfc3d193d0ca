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
	Version  string            `json:"version,omitempty"`  // "" in a bucket that never kept versions
	Marker   bool              `json:"marker,omitempty"`   // whether it is a delete marker, which has no bytes
	Latest   bool              `json:"-"`                  // whether it is the current version or the delete marker in its place; Versions says it
}

// A record is the length of its JSON head in 4 bytes, the head, and the bytes of a small object.
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

// Objects calls each for the objects of a bucket whose key starts with prefix and comes after the key after, in key
// order, until it returns false. A seek that each returns besides moves on to the first key not below it.
func (d *DB) Objects(bucket, prefix, after string, each func(Object) (seek string, more bool)) error {
	return d.view(func(tx *bbolt.Tx) error {
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

// Object reads a version of an object, "" for the current one, without its bytes; ErrNotFound when bucket or object is not
// there, a Marker for a delete marker.
func (d *DB) Object(bucket, name, version string) (Object, error) {
	var r record
	err := d.view(func(tx *bbolt.Tx) (err error) {
		r, err = lookup(tx, bucket, name, version)
		return err
	})
	return r.Object, err
}

// Open returns a version of an object, "" for the current one, and a reader of its bytes. span chooses offset and length; parts
// are those of an object that a multipart upload made. ErrNotFound when bucket or object is not there, a Marker for a delete
// marker.
func (d *DB) Open(bucket, name, version string, span func(o Object, parts []Part) (offset, length int64, err error)) (o Object, r io.ReadCloser, err error) {
	for range 3 { // an overwrite may drop the files between the read of the record and their opening
		var parts []Part
		var pieces []piece
		err = d.view(func(tx *bbolt.Tx) error {
			found, err := lookup(tx, bucket, name, version)
			if err != nil {
				return err
			}
			if o = found.Object; o.Upload == "" {
				pieces = []piece{{o.Blob, found.inline, o.Size}}
				return nil
			}
			parts, err = d.parts.of(tx, o.Upload)
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
// sees the current version, nil when none is, and may complete the new one, in the transaction that replaces it; it may be
// called twice. ErrNotFound when the bucket is not there, ErrFull.
func (d *DB) Put(bucket string, o Object, r io.Reader, size int64, allow func(old, o *Object) error) (Object, error) {
	room, err := d.disk.Reserve(size)
	if err != nil {
		return Object{}, err
	}
	defer room.Close()
	c, err := d.files.receive(r, room, inlineMax)
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

// store writes the record of an object whose bytes are there as the current version, and gives the files that can be dropped
// afterwards.
func (d *DB) store(tx *bbolt.Tx, bucket string, o *Object, inline []byte) (gone []string, err error) {
	before := counter(tx, objectBytes)
	o.Modified = d.now().UnixMilli()
	if o.Version, gone, err = makeWay(tx, bucket, o.Key); err != nil {
		return nil, err
	}
	b, err := inBucket(tx, bucket)
	if err != nil {
		return nil, err
	}
	if err := writeRecord(tx, b, []byte(o.Key), *o, inline); err != nil {
		return nil, err
	}
	return gone, d.within(tx, before)
}

// Change rewrites the record of a version of an object, "" for the current one, not its bytes, and gives the new one;
// ErrNotFound when bucket or object is not there, a Marker for a delete marker, ErrFull.
func (d *DB) Change(bucket, name, version string, change func(*Object)) (o Object, err error) {
	err = d.add(maxRecord, func(tx *bbolt.Tx) error {
		before := counter(tx, objectBytes)
		r, err := lookup(tx, bucket, name, version)
		if err != nil {
			return err
		}
		if err := r.detach(tx); err != nil {
			return err
		}
		change(&r.Object)
		o = r.Object
		if err := writeRecord(tx, r.in, r.at, o, r.inline); err != nil {
			return err
		}
		return d.within(tx, before)
	})
	return o, err
}
