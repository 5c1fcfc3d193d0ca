// Package state is what the local endpoint remembers: namespaces, packages, actions, activations, buckets and objects,
// in one bbolt file, with the bytes of large objects as files beside it.
//
// What may go in: records, their keys and the transactions over them. What may not: HTTP, the wire forms of OpenWhisk
// or S3, and the running of actions. What a method has returned without an error survives the end of the process at
// any moment.
package state

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Errors that callers turn into answers of their protocol.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrNotEmpty = errors.New("not empty")
	ErrLocked   = errors.New("another process uses the state")
	errFull     = errors.New("the size limit of the state is reached")
)

// The top-level buckets of the file.
var (
	bucketNamespaces  = []byte("namespaces")
	bucketPackages    = []byte("packages")    // namespace 0 package
	bucketActions     = []byte("actions")     // namespace 0 package 0 action
	bucketCode        = []byte("code")        // sha256 -> exec.code
	bucketCodeRefs    = []byte("code_refs")   // sha256 -> number of actions
	bucketActivations = []byte("activations") // namespace 0 start (ms, 8 bytes) id -> record
	bucketActByID     = []byte("activation_ids")
	bucketActByAge    = []byte("activation_ages") // time of the record (ms, 8 bytes) id -> key in activations: the next to be forgotten comes first
	bucketRunning     = []byte("running")         // id -> record of an accepted activation without outcome
	bucketStores      = []byte("stores")          // S3 bucket -> creation time
	bucketObjects     = []byte("objects")         // S3 bucket -> nested bucket key -> record
	bucketUploads     = []byte("uploads")         // S3 bucket 0 key 0 upload -> record
	bucketParts       = []byte("parts")           // upload 0 number -> record
	bucketCounters    = []byte("counters")
)

var topLevel = [][]byte{
	bucketNamespaces, bucketPackages, bucketActions, bucketCode, bucketCodeRefs, bucketActivations, bucketActByID,
	bucketActByAge, bucketRunning, bucketStores, bucketObjects, bucketUploads, bucketParts, bucketCounters,
}

// Limits bounds what is remembered. A zero field means its default.
type Limits struct {
	Activations     int           // records kept; default 10,000
	ActivationBytes int64         // their size; default 128 MiB
	ActivationAge   time.Duration // default 7 days
	ObjectBytes     int64         // all objects and parts together; default 32 GiB
	FreeBytes       int64         // what stays free of the disk; default 256 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Activations == 0 {
		l.Activations = 10_000
	}
	if l.ActivationBytes == 0 {
		l.ActivationBytes = 128 << 20
	}
	if l.ActivationAge == 0 {
		l.ActivationAge = 7 * 24 * time.Hour
	}
	if l.ObjectBytes == 0 {
		l.ObjectBytes = 32 << 30
	}
	if l.FreeBytes == 0 {
		l.FreeBytes = 256 << 20
	}
	return l
}

// DB is the open state. Its methods may be called from several goroutines.
type DB struct {
	db     *bbolt.DB
	blobs  string // folder of the large objects
	limits Limits
	now    func() time.Time
	writer *writer
}

// Open opens or makes the state in dir. ErrLocked means that another process has it open. now may be nil.
func Open(dir string, limits Limits, now func() time.Time) (*DB, error) {
	if now == nil {
		now = time.Now
	}
	blobs := filepath.Join(dir, "objects")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return nil, err
	}
	b, err := bbolt.Open(filepath.Join(dir, "state.db"), 0o600, &bbolt.Options{
		Timeout:      500 * time.Millisecond,
		FreelistType: bbolt.FreelistMapType, // large stores free pages in time that does not grow with them
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, err
	}
	err = b.Update(func(tx *bbolt.Tx) error {
		for _, name := range topLevel {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	d := &DB{db: b, blobs: blobs, limits: limits.withDefaults(), now: now}
	if err == nil {
		err = d.sweepBlobs()
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	d.writer = startWriter(b)
	return d, nil
}

// Close ends the open transactions and releases the file.
func (d *DB) Close() error {
	d.writer.stop()
	return d.db.Close()
}

func (d *DB) update(fn func(tx *bbolt.Tx) error) error { return d.writer.do(fn) }
