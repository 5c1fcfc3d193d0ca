package state

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3's ETag
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// inlineMax is the size up to which an object lives in its record: most of what a Lithops job writes. Larger ones are
// files, so that neither side ever holds them in memory.
const inlineMax = 64 << 10

// content is received data: either Inline or in the file Blob.
type content struct {
	Inline []byte
	Blob   string
	Size   int64
	MD5    []byte
}

// receive reads r to its end. The file it may have made is complete on disk, but belongs to nobody until a record
// names it: the caller drops it when its transaction fails, and a start sweeps what a crash left.
func (d *DB) receive(r io.Reader) (c content, err error) {
	sum := md5.New() //nolint:gosec
	r = io.TeeReader(r, sum)
	head, err := io.ReadAll(io.LimitReader(r, inlineMax+1))
	if err != nil {
		return c, err
	}
	if len(head) <= inlineMax {
		return content{Inline: head, Size: int64(len(head)), MD5: sum.Sum(nil)}, nil
	}
	c.Blob = rand.Text()
	f, err := os.OpenFile(d.blobPath(c.Blob), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			d.drop(c.Blob)
		}
	}()
	n, err := io.Copy(f, io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		_ = f.Close()
		return c, err // as it is: the reader's errors are answers of S3
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return c, err
	}
	c.Size, c.MD5 = n, sum.Sum(nil)
	return c, nil
}

func (d *DB) blobPath(name string) string { return filepath.Join(d.blobs, name) }

// drop removes files that no record names any more. What cannot be removed now is swept at the next start.
func (d *DB) drop(blobs ...string) {
	for _, name := range blobs {
		if name != "" {
			_ = os.Remove(d.blobPath(name))
		}
	}
}

// sweepBlobs removes the files that no record names: those of uploads that a kill broke off.
func (d *DB) sweepBlobs() error {
	used := map[string]bool{}
	err := d.db.View(func(tx *bbolt.Tx) error {
		objects := tx.Bucket(bucketObjects)
		err := objects.ForEachBucket(func(name []byte) error {
			return objects.Bucket(name).ForEach(func(_, v []byte) error {
				rec, _, err := decodeObject(v)
				if rec.Blob != "" {
					used[rec.Blob] = true
				}
				return err
			})
		})
		if err != nil {
			return err
		}
		parts, err := page[Part](tx.Bucket(bucketParts), nil, 0, -1)
		for _, p := range parts {
			used[p.Blob] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(d.blobs, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !used[e.Name()] {
			err = os.Remove(path)
		}
		return err
	})
}

// open gives the bytes of an object from offset on, at most length.
func (d *DB) open(blob string, inline []byte, offset, length int64) (io.ReadCloser, error) {
	if blob == "" {
		return io.NopCloser(bytes.NewReader(inline[offset : offset+length])), nil
	}
	f, err := os.Open(d.blobPath(blob))
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, length), f}, nil
}

func etag(sum []byte) string { return hex.EncodeToString(sum) }
