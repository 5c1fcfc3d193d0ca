package state

import (
	"go.etcd.io/bbolt"
)

// Deletion says what to delete: a version of an object for good, or with Version "" the object, of which a bucket with
// versioning keeps the versions behind a delete marker.
type Deletion struct{ Key, Version string }

// Delete deletes objects or versions, one after the other; those that are not there are no error. It gives the version that
// was removed, or the delete marker that was made, for each. allow, which may be nil, sees each before by its index, also a
// delete marker, nil when it is not there, and keeps it with false; it may be called twice. ErrNotFound when the bucket is not there, ErrFull where
// delete markers find no room.
func (d *DB) Delete(bucket string, allow func(i int, old *Object) bool, what ...Deletion) (done []Object, err error) {
	need := 0
	for _, w := range what {
		need += len(w.Key) + maxMarker
	}
	room, full := d.disk.Reserve(int64(need))
	if full == nil {
		defer room.Close()
	}
	var gone []string
	err = d.update(func(tx *bbolt.Tx) error {
		gone, done = nil, make([]Object, len(what))
		before := counter(tx, objectBytes)
		for i, w := range what {
			old, err := deletable(tx, bucket, w)
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
			gone = append(gone, blobs...)
		}
		if full != nil && counter(tx, objectBytes) > before {
			return full
		}
		return d.within(tx, before)
	})
	if err != nil {
		return nil, err
	}
	d.files.drop(gone...)
	return done, nil
}

// deletable is what a deletion is of, also a delete marker, nil when it is not there; ErrNotFound when the bucket is not.
func deletable(tx *bbolt.Tx, bucket string, w Deletion) (*Object, error) {
	if _, err := inBucket(tx, bucket); err != nil {
		return nil, err
	}
	r, err := lookup(tx, bucket, w.Key, w.Version)
	if r.in == nil {
		return nil, ignore(err)
	}
	return &r.Object, ignore(err)
}

// deleteCurrent removes an object, or puts a delete marker before its versions.
func (d *DB) deleteCurrent(tx *bbolt.Tx, bucket, name string) (marker Object, gone []string, err error) {
	version, gone, err := makeWay(tx, bucket, name)
	if err != nil || version == "" {
		return marker, gone, err
	}
	marker = Object{Key: name, Version: version, Marker: true, Modified: d.now().UnixMilli()}
	return marker, gone, putAside(tx, bucket, marker, nil)
}

// deleteVersion removes a version or a delete marker; the one before becomes the current one where it was that.
func deleteVersion(tx *bbolt.Tx, bucket string, w Deletion) (o Object, gone []string, err error) {
	r, err := lookup(tx, bucket, w.Key, w.Version)
	if err = ignore(err); err != nil || r.in == nil {
		return o, nil, err
	}
	if gone, err = r.remove(tx); err != nil {
		return o, nil, err
	}
	return r.Object, gone, promote(tx, bucket, w.Key)
}
