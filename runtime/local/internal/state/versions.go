package state

import (
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

// Versioning is whether an S3 bucket keeps what is overwritten or deleted. "" is a bucket that never did.
type Versioning string

// Enabled keeps every version of an object; Suspended keeps those that are there, and one more, the null version.
const (
	Enabled   Versioning = "Enabled"
	Suspended Versioning = "Suspended"
)

// nullVersion is the version that was written while versions were not kept. Its record says "".
const nullVersion = "null"

const versioningSetting = "versioning"

// Marker is the error of reading a delete marker. It is an ErrNotFound.
type Marker struct{ Version string }

func (*Marker) Error() string { return "the object is deleted" }

// Unwrap returns ErrNotFound.
func (*Marker) Unwrap() error { return ErrNotFound }

// Versioning reads whether a bucket keeps versions; ErrNotFound when it is not there.
func (d *DB) Versioning(bucket string) (Versioning, error) {
	v, err := d.Setting(bucket, versioningSetting)
	return Versioning(v), err
}

// SetVersioning makes a bucket keep versions from now on, or stop doing so; ErrNotFound when it is not there, ErrFull.
func (d *DB) SetVersioning(bucket string, v Versioning) error {
	return d.add(len(bucket)+len(v), func(tx *bbolt.Tx) error {
		if _, err := inBucket(tx, bucket); err != nil {
			return err
		}
		if _, err := tx.Bucket(bucketVersions).CreateBucketIfNotExists([]byte(bucket)); err != nil {
			return err
		}
		return tx.Bucket(bucketSettings).Put(key(bucket, versioningSetting), []byte(v))
	})
}

// archive returns the versions of a bucket's objects that are not the current ones, and the delete markers: object 0 place ->
// record. A place is the version's id, or an unused one for the null version; ids descend, so that the newest comes first.
// What is in "objects" is newer than what is here; where nothing is in "objects", the newest here is a delete marker. It is
// nil for a bucket that never kept versions.
func archive(tx *bbolt.Tx, bucket string) *bbolt.Bucket {
	return tx.Bucket(bucketVersions).Bucket([]byte(bucket))
}

func newVersion(archive *bbolt.Bucket) (string, error) {
	n, err := archive.NextSequence()
	return fmt.Sprintf("%016x", ^n), err
}

// record is a version of an object where it is kept.
type record struct {
	Object
	inline []byte
	in     *bbolt.Bucket
	at     []byte
	size   int64
}

// readRecord reads what is at a place. The inline bytes are those of the file.
func readRecord(in *bbolt.Bucket, at, v []byte, name string, versioned bool) (r record, err error) {
	r = record{in: in, at: at}
	r.Object, r.inline, err = decodeObject([]byte(name), v)
	r.size = r.cost(at, v)
	if versioned && r.Version == "" {
		r.Version = nullVersion
	}
	return r, err
}

func writeRecord(tx *bbolt.Tx, in *bbolt.Bucket, at []byte, o Object, inline []byte) error {
	data, err := encodeObject(o, inline)
	if err != nil {
		return err
	}
	if _, err := bump(tx, objectBytes, o.cost(at, data)); err != nil {
		return err
	}
	return in.Put(at, data)
}

// detach removes the record alone.
func (r record) detach(tx *bbolt.Tx) error {
	if _, err := bump(tx, objectBytes, -r.size); err != nil {
		return err
	}
	return r.in.Delete(r.at)
}

// remove removes a version, and gives the files that can be dropped.
func (r record) remove(tx *bbolt.Tx) (gone []string, err error) {
	if r.Upload != "" {
		if gone, err = removeParts(tx, r.Upload, nil); err != nil {
			return nil, err
		}
	}
	return append(gone, r.Blob), r.detach(tx)
}

// lookup reads a version of an object, "" for the current one, with a copy of the bytes of a small one; ErrNotFound, which is
// a Marker with the record of a delete marker.
func lookup(tx *bbolt.Tx, bucket, name, version string) (r record, err error) {
	b, err := inBucket(tx, bucket)
	if err != nil {
		return r, err
	}
	found := false
	match := func(have record) bool {
		if found = version == "" || version == have.Version || version == nullVersion && have.Version == ""; found {
			r = have
		}
		return !found && version == nullVersion
	}
	if v := b.Get([]byte(name)); v != nil {
		current, err := readRecord(b, []byte(name), v, name, archive(tx, bucket) != nil)
		if err != nil {
			return r, err
		}
		match(current)
	}
	if !found {
		from := version
		if version == nullVersion {
			from = ""
		}
		if err := archived(tx, bucket, name, from, match); err != nil {
			return r, err
		}
	}
	r.inline = append([]byte(nil), r.inline...)
	switch {
	case !found:
		return r, ErrNotFound
	case r.Marker:
		return r, &Marker{r.Version}
	}
	return r, nil
}

// existing is the current version of an object, nil when there is none; ErrNotFound when the bucket is not there.
func existing(tx *bbolt.Tx, bucket, name string) (*Object, error) {
	o, err := deletable(tx, bucket, Deletion{Key: name})
	if o != nil && o.Marker {
		return nil, err
	}
	return o, err
}

// archived calls each for the archived versions of an object from a place on, the newest first, until it returns false.
func archived(tx *bbolt.Tx, bucket, name, from string, each func(record) bool) error {
	all := archive(tx, bucket)
	if all == nil {
		return nil
	}
	c, prefix := all.Cursor(), string(key(name, ""))
	for k, v := c.Seek(key(name, from)); strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		r, err := readRecord(all, k, v, name, true)
		if err != nil || !each(r) {
			return err
		}
	}
	return nil
}

// putAside archives a version or a delete marker.
func putAside(tx *bbolt.Tx, bucket string, o Object, inline []byte) (err error) {
	all, place := archive(tx, bucket), o.Version
	if place == nullVersion {
		if place, err = newVersion(all); err != nil {
			return err
		}
	}
	return writeRecord(tx, all, key(o.Key, place), o, inline)
}

// makeWay archives or removes what a new version, or a delete marker, takes the place of. It gives the id of the new one, ""
// where no versions are kept, and the files that can be dropped.
func makeWay(tx *bbolt.Tx, bucket, name string) (version string, gone []string, err error) {
	versioning := Versioning(tx.Bucket(bucketSettings).Get(key(bucket, versioningSetting)))
	if versioning != Enabled {
		null, err := lookup(tx, bucket, name, nullVersion)
		if null.in != nil { // a delete marker, too
			gone, err = null.remove(tx)
		}
		if err = ignore(err); err != nil || versioning == "" {
			return "", gone, err
		}
	}
	current, err := lookup(tx, bucket, name, "")
	if err == nil {
		if err = current.detach(tx); err == nil {
			err = putAside(tx, bucket, current.Object, current.inline)
		}
	}
	if err = ignore(err); err != nil || versioning == Suspended {
		return nullVersion, gone, err
	}
	version, err = newVersion(archive(tx, bucket))
	return version, gone, err
}

// promote makes the newest version the current one, unless it is a delete marker, after the one before was removed.
func promote(tx *bbolt.Tx, bucket, name string) error {
	b, err := inBucket(tx, bucket)
	if err != nil || b.Get([]byte(name)) != nil {
		return err
	}
	r, err := lookup(tx, bucket, name, "")
	if err != nil {
		return ignore(err)
	}
	if err := r.detach(tx); err != nil {
		return err
	}
	return writeRecord(tx, b, []byte(name), r.Object, r.inline)
}

// ignore is err, or nil for an ErrNotFound.
func ignore(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
