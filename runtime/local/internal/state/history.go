package state

import (
	"strings"

	"go.etcd.io/bbolt"
)

// beyond is what makes the key of an object one after all of its versions: places are hexadecimal.
const beyond = "\x00\xff"

// Versions calls each for the versions and delete markers of the objects of a bucket whose key starts with prefix, by key
// and then the newest first, until it returns false. A seek that each returns besides moves on to the first key not below it.
// It begins after the version of the key after, or after all of them where version is "". ErrNotFound when the bucket is not
// there.
func (d *DB) Versions(bucket, prefix, after, version string, each func(Object) (seek string, more bool)) error {
	return d.view(func(tx *bbolt.Tx) error {
		b, err := inBucket(tx, bucket)
		if err != nil {
			return err
		}
		from := prefix
		switch {
		case after == "" || after < prefix:
			version = ""
		case version == "":
			from = after + beyond
		default:
			from = after
		}
		for {
			name, ok := nextName(b, archive(tx, bucket), from)
			if !ok || !strings.HasPrefix(name, prefix) {
				return nil
			}
			if name != after {
				version = ""
			}
			seek, more, err := eachVersion(tx, bucket, name, version, each)
			if err != nil || !more {
				return err
			}
			from = max(seek, name+beyond)
		}
	})
}

// nextName returns the first key of an object that is not below from.
func nextName(current, archive *bbolt.Bucket, from string) (name string, ok bool) {
	k, _ := current.Cursor().Seek([]byte(from))
	name, ok = string(k), k != nil
	if archive != nil {
		if a, _ := archive.Cursor().Seek([]byte(from)); a != nil {
			old, _, _ := strings.Cut(string(a), "\x00")
			if !ok || old < name {
				return old, true
			}
		}
	}
	return name, ok
}

// eachVersion calls each for the versions of an object that come after one of them, all where that is "".
func eachVersion(tx *bbolt.Tx, bucket, name, after string, each func(Object) (string, bool)) (seek string, more bool, err error) {
	newest, err := lookup(tx, bucket, name, "")
	if ignore(err) != nil {
		return "", false, err
	}
	listed, from := false, "" // whether the current one was
	if after != "" {
		last, err := lookup(tx, bucket, name, after)
		place, isOld := strings.CutPrefix(string(last.at), string(key(name, "")))
		switch {
		case ignore(err) != nil:
			return "", false, err
		case isOld:
			listed, from = true, place+beyond
		case last.in != nil:
			listed = true
		case after != nullVersion: // it was removed meanwhile
			listed, from = newest.Version <= after, after
		}
	}
	more = true
	if !listed && !newest.Marker {
		newest.Latest = true
		if seek, more = each(newest.Object); seek != "" || !more {
			return seek, more, nil
		}
	}
	err = archived(tx, bucket, name, from, func(r record) bool {
		r.Latest = r.Marker && r.Version == newest.Version
		seek, more = each(r.Object)
		return seek == "" && more
	})
	return seek, more, err
}
