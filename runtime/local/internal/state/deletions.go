package state

import (
	"go.etcd.io/bbolt"
)

// Deletion identifies what to delete. With a Version, that version is deleted permanently. With Version "", the object
// is deleted; a bucket with versioning then keeps the versions behind a delete marker.
type Deletion struct{ Key, Version string }

// Delete deletes objects or versions in order. It ignores those that do not exist. For each deletion it returns the
// deleted version or the created delete marker. If allow is not nil, Delete calls it before each deletion with the
// index and the existing version or delete marker, or nil if there is none. If allow returns false, Delete skips the
// deletion. allow may be called twice. Delete returns ErrNotFound if the bucket does not exist, and ErrFull if there is
// not enough space for delete markers.
func (d *DB) Delete(bucket string, allow func(i int, old *Object) bool, deletions ...Deletion) (done []Object, err error) {
	need := 0
	for _, w := range deletions {
		need += len(w.Key) + maxMarker
	}
	reservation, full := d.disk.Reserve(int64(need))
	if full == nil {
		defer reservation.Close()
	}
	var orphans []string
	err = d.update(func(tx *bbolt.Tx) error {
		orphans, done = nil, make([]Object, len(deletions))
		before := counter(tx, objectBytes)
		for i, w := range deletions {
			old, err := findVersion(tx, bucket, w)
			if err != nil {
				return err
			}
			if allow != nil && !allow(i, old) {
				continue
			}
			var blobs []string
			if w.Version == "" {
				done[i], blobs, err = d.deleteCurrent(tx, bucket, w.Key)
			} else {
				done[i], blobs, err = deleteVersion(tx, bucket, w)
			}
			if err != nil {
				return err
			}
			orphans = append(orphans, blobs...)
		}
		if full != nil && counter(tx, objectBytes) > before {
			return full
		}
		return d.checkLimit(tx, before)
	})
	if err != nil {
		return nil, err
	}
	d.files.drop(orphans...)
	return done, nil
}

// findVersion returns the version or delete marker to delete, or nil if it does not exist. It returns ErrNotFound if
// the bucket does not exist.
func findVersion(tx *bbolt.Tx, bucket string, w Deletion) (*Object, error) {
	if _, err := objectsBucket(tx, bucket); err != nil {
		return nil, err
	}
	r, err := lookup(tx, bucket, w.Key, w.Version)
	if r.in == nil {
		return nil, ignoreNotFound(err)
	}
	return &r.Object, ignoreNotFound(err)
}

// deleteCurrent deletes an object, or adds a delete marker in front of its versions.
func (d *DB) deleteCurrent(tx *bbolt.Tx, bucket, name string) (marker Object, orphans []string, err error) {
	version, orphans, err := retireCurrent(tx, bucket, name)
	if err != nil || version == "" {
		return marker, orphans, err
	}
	marker = Object{Key: name, Version: version, Marker: true, Modified: d.now().UnixMilli()}
	return marker, orphans, archiveVersion(tx, bucket, marker, nil)
}

// deleteVersion deletes a version or a delete marker. If it was the current version, the previous version becomes the
// current one.
func deleteVersion(tx *bbolt.Tx, bucket string, w Deletion) (o Object, orphans []string, err error) {
	r, err := lookup(tx, bucket, w.Key, w.Version)
	if err = ignoreNotFound(err); err != nil || r.in == nil {
		return o, nil, err
	}
	if orphans, err = r.remove(tx); err != nil {
		return o, nil, err
	}
	return r.Object, orphans, promote(tx, bucket, w.Key)
}
