package state

import (
	"strings"

	"go.etcd.io/bbolt"
)

// afterVersions, appended to the key of an object, gives a key after all its versions: archive IDs are hexadecimal.
const afterVersions = "\x00\xff"

// Versions calls fn for each version and delete marker of the objects whose key starts with prefix, ordered by key and
// then newest first, until fn returns false. If fn returns a seek key, Versions continues at the first key that is not
// less than the seek key. The listing starts after the given version of the key after, or after all versions of that
// key if version is "". Versions returns ErrNotFound if the bucket does not exist.
func (d *DB) Versions(bucket, prefix, after, version string, fn func(Object) (seek string, more bool)) error {
	return d.view(func(tx *bbolt.Tx) error {
		b, err := objectsBucket(tx, bucket)
		if err != nil {
			return err
		}
		from := prefix
		switch {
		case after == "" || after < prefix:
			version = ""
		case version == "":
			from = after + afterVersions
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
			seek, more, err := eachVersion(tx, bucket, name, version, fn)
			if err != nil || !more {
				return err
			}
			from = max(seek, name+afterVersions)
		}
	})
}

// nextName returns the first object key that is not less than from.
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

// eachVersion calls fn for each version of an object that follows the version after, or for all versions if after is
// "".
func eachVersion(tx *bbolt.Tx, bucket, name, after string, fn func(Object) (string, bool)) (seek string, more bool, err error) {
	newest, err := lookup(tx, bucket, name, "")
	if ignoreNotFound(err) != nil {
		return "", false, err
	}
	listed, from := false, "" // listed is true if the current version was already listed
	if after != "" {
		last, err := lookup(tx, bucket, name, after)
		archiveID, isOld := strings.CutPrefix(string(last.at), string(key(name, "")))
		switch {
		case ignoreNotFound(err) != nil:
			return "", false, err
		case isOld:
			listed, from = true, archiveID+afterVersions
		case last.in != nil:
			listed = true
		case after != nullVersion: // the version has been deleted in the meantime
			listed, from = newest.Version <= after, after
		}
	}
	more = true
	if !listed && !newest.Marker {
		newest.Latest = true
		if seek, more = fn(newest.Object); seek != "" || !more {
			return seek, more, nil
		}
	}
	err = eachArchived(tx, bucket, name, from, func(r record) bool {
		r.Latest = r.Marker && r.Version == newest.Version
		seek, more = fn(r.Object)
		return seek == "" && more
	})
	return seek, more, err
}
