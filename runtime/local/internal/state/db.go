// Package state stores the data of the local endpoint: namespaces, packages, actions, activations, buckets and objects.
// It uses one bbolt file, and separate files next to it for the bytes of large objects.
//
// If a method returns without an error, its change survives a crash of the process. The package contains the records,
// their keys and the transactions on them. It does not implement HTTP or the wire formats of OpenWhisk and S3, and does
// not run actions.
package state

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
)

// Errors that callers translate into responses of their protocol.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrNotEmpty = errors.New("not empty")
	ErrLocked   = errors.New("the state is in use by another process")
	ErrFull     = errors.New("the disk is nearly full, or the size limit of the state is reached")
	ErrDamaged  = errors.New("the state file is damaged")
	ErrNewer    = errors.New("the state was written by a later release")
)

// The top-level buckets of the file. The comments show key -> value; a "0" in a key is a zero byte.
var (
	bucketNamespaces  = []byte("namespaces")
	bucketPackages    = []byte("packages")    // namespace 0 package
	bucketActions     = []byte("actions")     // namespace 0 package 0 action
	bucketNewest      = []byte("newest")      // "packages" or "actions" 0 namespace 0 last change (ms inverted, 8 bytes) key -> key in that bucket
	bucketCode        = []byte("code")        // sha256 -> exec.code
	bucketCodeRefs    = []byte("code_refs")   // sha256 -> number of actions
	bucketActivations = []byte("activations") // namespace 0 start (ms, 8 bytes) id -> record without result and logs
	bucketOutcomes    = []byte("outcomes")    // key in activations -> result and logs
	bucketActByID     = []byte("activation_ids")
	bucketActByAge    = []byte("activation_ages") // time of the record (ms, 8 bytes) id -> key in activations; the oldest, which is evicted first, sorts first
	bucketRunning     = []byte("running")         // id -> record of an accepted activation without outcome
	bucketStores      = []byte("stores")          // S3 bucket -> creation time
	bucketObjects     = []byte("objects")         // S3 bucket -> nested bucket key -> record
	bucketVersions    = []byte("versions")        // S3 bucket -> nested bucket archive, only of buckets with versioning
	bucketUploads     = []byte("uploads")         // S3 bucket 0 key 0 upload -> record
	bucketParts       = []byte("parts")           // upload 0 number -> record, of unfinished uploads and of the objects created from multipart uploads
	bucketSettings    = []byte("settings")        // S3 bucket 0 name -> value
	bucketProjects    = []byte("ce_projects")     // id -> record
	bucketResources   = []byte("ce_resources")    // project 0 kind 0 name -> record
	bucketCounters    = []byte("counters")
	bucketMeta        = []byte("meta") // "format" -> version of the records
)

var topLevel = [][]byte{
	bucketNamespaces, bucketPackages, bucketActions, bucketNewest, bucketCode, bucketCodeRefs, bucketActivations, bucketOutcomes, bucketActByID,
	bucketActByAge, bucketRunning, bucketStores, bucketObjects, bucketVersions, bucketUploads, bucketParts, bucketSettings,
	bucketProjects, bucketResources, bucketCounters, bucketMeta,
}

// Limits bounds the size of the state. A zero field means its default.
type Limits struct {
	Activations     int           // maximum number of records; default 10,000
	ActivationBytes int64         // maximum size of the records; default 128 MiB
	ActivationAge   time.Duration // default 7 days
	ObjectBytes     int64         // maximum size of all objects, parts and uploads including their records; default 32 GiB
	UploadAge       time.Duration // age at which an unfinished upload is deleted; default 7 days
	FreeBytes       int64         // disk space to leave free; default 256 MiB
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
	if l.UploadAge == 0 {
		l.UploadAge = 7 * 24 * time.Hour
	}
	if l.FreeBytes == 0 {
		l.FreeBytes = 256 << 20
	}
	return l
}

// DB is an open state. Its methods are safe for concurrent use.
type DB struct {
	db      *bbolt.DB
	files   *files
	disk    *Disk
	limits  Limits
	now     func() time.Time
	writer  *writer
	gate    gate
	parts   partsCache
	expired time.Time // time of the last check for expired uploads; used only in write transactions
}

// Open opens or creates the state in dir. It returns ErrLocked if another process has it open, ErrDamaged if the file
// is damaged, and ErrNewer if a later release wrote it. now may be nil.
func Open(dir string, limits Limits, now func() time.Time) (*DB, error) {
	if now == nil {
		now = time.Now
	}
	blobs := filepath.Join(dir, "objects")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return nil, err
	}
	b, err := openFile(filepath.Join(dir, "state.db"), &bbolt.Options{
		Timeout:      500 * time.Millisecond,
		FreelistType: bbolt.FreelistMapType, // with a map, finding free pages takes constant time in large files
	})
	if err != nil {
		return nil, err
	}
	limits = limits.withDefaults()
	d := &DB{db: b, files: newFiles(blobs), limits: limits, now: now, disk: &Disk{dir: blobs, floor: limits.FreeBytes, free: free}}
	if err := guarded(d.initialize); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	d.writer = startWriter(d.change)
	return d, nil
}

// initialize creates the buckets of the file, deletes expired uploads, and removes files that a killed process left
// behind.
func (d *DB) initialize() error {
	var used map[string]bool
	err := d.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range topLevel {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketMeta).Put(keyFormat, []byte(strconv.Itoa(format))); err != nil {
			return err
		}
		if err := orderNewest(tx); err != nil {
			return err
		}
		if _, err := d.expireUploads(tx); err != nil {
			return err
		}
		var err error
		used, err = recount(tx)
		return err
	})
	if err != nil {
		return err
	}
	return d.files.sweep(used)
}

// Close waits for the open transactions and releases the file.
func (d *DB) Close() error {
	d.writer.stop()
	if d.gate.isClosed() { // bbolt's locks are never released: the file is released when the process ends
		return nil
	}
	return d.db.Close()
}

func (d *DB) update(fn func(tx *bbolt.Tx) error) error { return d.writer.do(fn) }

// add runs fn like update, for changes that add size bytes to the state. It returns ErrFull if the disk lacks the
// space, unless fn itself returns an error.
func (d *DB) add(size int, fn func(tx *bbolt.Tx) error) error {
	reservation, full := d.disk.Reserve(int64(size))
	if full == nil {
		defer reservation.Close()
	}
	return d.update(func(tx *bbolt.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return full
	})
}
