package state

import (
	"sync"

	"go.etcd.io/bbolt"
)

// maxCachedObjects is the maximum number of objects in a partsCache.
const maxCachedObjects = 8

// partsCache caches the parts of recently read objects. A job reads one object in many ranges, and decoding thousands
// of part records for each range takes longer than reading the bytes. The parts of an object never change.
type partsCache struct {
	mu       sync.Mutex
	byUpload map[string][]Part
}

// get returns the parts of an object. Callers must not change them. All parts but the last are too large to be stored
// in their records.
func (k *partsCache) get(tx *bbolt.Tx, upload string) ([]Part, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if parts, cached := k.byUpload[upload]; cached {
		return parts, nil
	}
	parts, err := page[Part](tx.Bucket(bucketParts), key(upload, ""), 0, -1)
	if err != nil {
		return nil, err
	}
	if k.byUpload == nil || len(k.byUpload) == maxCachedObjects {
		k.byUpload = map[string][]Part{}
	}
	k.byUpload[upload] = parts
	return parts, nil
}
