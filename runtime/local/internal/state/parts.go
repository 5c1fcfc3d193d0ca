package state

import (
	"sync"

	"go.etcd.io/bbolt"
)

// manyObjects is of how many objects the parts are remembered.
const manyObjects = 8

// knownParts remembers the parts of the objects that were read last: a job reads one object in many ranges, and to decode
// thousands of records for each of them takes longer than the reading. An upload that has become an object does not change.
type knownParts struct {
	mu       sync.Mutex
	byUpload map[string][]Part
}

// of returns the parts of an object, which nobody may change. All but the last are too large for their records.
func (k *knownParts) of(tx *bbolt.Tx, upload string) ([]Part, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if parts, known := k.byUpload[upload]; known {
		return parts, nil
	}
	parts, err := page[Part](tx.Bucket(bucketParts), key(upload, ""), 0, -1)
	if err != nil {
		return nil, err
	}
	if k.byUpload == nil || len(k.byUpload) == manyObjects {
		k.byUpload = map[string][]Part{}
	}
	k.byUpload[upload] = parts
	return parts, nil
}
