package state

import (
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

// Versioning is the versioning state of an S3 bucket. "" means that versioning was never enabled.
type Versioning string

// With Enabled, a bucket keeps every version of an object. With Suspended, it keeps the existing versions and one null
// version.
const (
	Enabled   Versioning = "Enabled"
	Suspended Versioning = "Suspended"
)

// nullVersion is the ID of a version that was written while versioning was not enabled. The record of this version
// contains "" instead of the ID.
const nullVersion = "null"

const versioningSetting = "versioning"

// DeleteMarkerError is returned when the requested version is a delete marker. It wraps ErrNotFound.
type DeleteMarkerError struct{ Version string }

func (*DeleteMarkerError) Error() string { return "the object is deleted" }

// Unwrap returns ErrNotFound.
func (*DeleteMarkerError) Unwrap() error { return ErrNotFound }

// Versioning reads the versioning state of a bucket. It returns ErrNotFound if the bucket does not exist.
func (d *DB) Versioning(bucket string) (Versioning, error) {
	v, err := d.Setting(bucket, versioningSetting)
	return Versioning(v), err
}

// SetVersioning enables or suspends versioning of a bucket. It returns ErrNotFound if the bucket does not exist, and
// ErrFull if there is not enough space.
func (d *DB) SetVersioning(bucket string, v Versioning) error {
	return d.add(len(bucket)+len(v), func(tx *bbolt.Tx) error {
		if _, err := objectsBucket(tx, bucket); err != nil {
			return err
		}
		if _, err := tx.Bucket(bucketVersions).CreateBucketIfNotExists([]byte(bucket)); err != nil {
			return err
		}
		return tx.Bucket(bucketSettings).Put(key(bucket, versioningSetting), []byte(v))
	})
}

// archive returns the nested bucket with the delete markers and noncurrent versions of a bucket's objects, or nil if
// the bucket never kept versions. The nested bucket maps object 0 archiveID -> record. The archive ID is the version
// ID, or an unused ID for the null version. Newer IDs sort first. A version in "objects" is newer than all archived
// versions of the object. If "objects" does not contain the object, its newest archived version is a delete marker.
func archive(tx *bbolt.Tx, bucket string) *bbolt.Bucket {
	return tx.Bucket(bucketVersions).Bucket([]byte(bucket))
}

func newVersion(archive *bbolt.Bucket) (string, error) {
	n, err := archive.NextSequence()
	return fmt.Sprintf("%016x", ^n), err
}

// record is a version of an object together with its location in the file.
type record struct {
	Object
	inline []byte
	in     *bbolt.Bucket // bucket that contains the record
	at     []byte        // key in that bucket
	size   int64         // size that counts towards objectBytes
}

// readRecord decodes the record v at the key at. The inline bytes refer to the memory-mapped file.
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
	if _, err := increment(tx, objectBytes, o.cost(at, data)); err != nil {
		return err
	}
	return in.Put(at, data)
}

// deleteRecord deletes only the record of a version.
func (r record) deleteRecord(tx *bbolt.Tx) error {
	if _, err := increment(tx, objectBytes, -r.size); err != nil {
		return err
	}
	return r.in.Delete(r.at)
}

// remove deletes a version, and returns the files that can be removed.
func (r record) remove(tx *bbolt.Tx) (orphans []string, err error) {
	if r.Upload != "" {
		if orphans, err = removeParts(tx, r.Upload, nil); err != nil {
			return nil, err
		}
	}
	return append(orphans, r.Blob), r.deleteRecord(tx)
}

// lookup reads a version of an object, with a copy of the bytes if they are stored in the record. Version "" is the
// current version. It returns ErrNotFound if the version does not exist. For a delete marker it returns its record and
// a DeleteMarkerError.
func lookup(tx *bbolt.Tx, bucket, name, version string) (r record, err error) {
	b, err := objectsBucket(tx, bucket)
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
		if err := eachArchived(tx, bucket, name, from, match); err != nil {
			return r, err
		}
	}
	r.inline = append([]byte(nil), r.inline...)
	switch {
	case !found:
		return r, ErrNotFound
	case r.Marker:
		return r, &DeleteMarkerError{r.Version}
	}
	return r, nil
}

// currentObject returns the current version of an object, or nil if there is none. It returns ErrNotFound if the bucket
// does not exist.
func currentObject(tx *bbolt.Tx, bucket, name string) (*Object, error) {
	o, err := findVersion(tx, bucket, Deletion{Key: name})
	if o != nil && o.Marker {
		return nil, err
	}
	return o, err
}

// eachArchived calls fn for each archived version of an object, starting at the archive ID from, newest first, until fn
// returns false.
func eachArchived(tx *bbolt.Tx, bucket, name, from string, fn func(record) bool) error {
	all := archive(tx, bucket)
	if all == nil {
		return nil
	}
	c, prefix := all.Cursor(), string(key(name, ""))
	for k, v := c.Seek(key(name, from)); strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		r, err := readRecord(all, k, v, name, true)
		if err != nil || !fn(r) {
			return err
		}
	}
	return nil
}

// archiveVersion writes a version or a delete marker to the archive.
func archiveVersion(tx *bbolt.Tx, bucket string, o Object, inline []byte) (err error) {
	all, archiveID := archive(tx, bucket), o.Version
	if archiveID == nullVersion {
		if archiveID, err = newVersion(all); err != nil {
			return err
		}
	}
	return writeRecord(tx, all, key(o.Key, archiveID), o, inline)
}

// retireCurrent archives or deletes the version that a new version or delete marker replaces. It returns the ID of the
// new version, "" if the bucket keeps no versions, and the files that can be removed.
func retireCurrent(tx *bbolt.Tx, bucket, name string) (version string, orphans []string, err error) {
	versioning := Versioning(tx.Bucket(bucketSettings).Get(key(bucket, versioningSetting)))
	if versioning != Enabled {
		null, err := lookup(tx, bucket, name, nullVersion)
		if null.in != nil { // also a delete marker
			orphans, err = null.remove(tx)
		}
		if err = ignoreNotFound(err); err != nil || versioning == "" {
			return "", orphans, err
		}
	}
	current, err := lookup(tx, bucket, name, "")
	if err == nil {
		if err = current.deleteRecord(tx); err == nil {
			err = archiveVersion(tx, bucket, current.Object, current.inline)
		}
	}
	if err = ignoreNotFound(err); err != nil || versioning == Suspended {
		return nullVersion, orphans, err
	}
	version, err = newVersion(archive(tx, bucket))
	return version, orphans, err
}

// promote makes the newest archived version the current version after the current version was deleted. It does nothing
// if the newest version is a delete marker.
func promote(tx *bbolt.Tx, bucket, name string) error {
	b, err := objectsBucket(tx, bucket)
	if err != nil || b.Get([]byte(name)) != nil {
		return err
	}
	r, err := lookup(tx, bucket, name, "")
	if err != nil {
		return ignoreNotFound(err)
	}
	if err := r.deleteRecord(tx); err != nil {
		return err
	}
	return writeRecord(tx, b, []byte(name), r.Object, r.inline)
}

// ignoreNotFound returns err, or nil if err is ErrNotFound.
func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
