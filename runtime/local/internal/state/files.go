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
	"slices"
	"sync"
)

// inlineMax is the maximum size of an object that is stored in its record. Most objects of Lithops jobs are smaller.
// Larger objects are stored in files, so that they are written and read without being held in memory.
const inlineMax = 64 << 10

// inlinePart is the maximum size of a part of an upload that is stored in its record. It is smaller than inlineMax
// because up to 10,000 part records are read at once.
const inlinePart = 1 << 10

// content is received data, either in Inline or in the file Blob.
type content struct {
	Inline []byte
	Blob   string
	Size   int64
	MD5    []byte
}

// files manages the files of large objects. A file that is dropped while it is being read is removed when its last
// reader closes.
type files struct {
	dir     string
	mu      sync.Mutex
	readers map[string]int
	dropped map[string]bool // dropped files that are still being read
}

func newFiles(dir string) *files {
	return &files{dir: dir, readers: map[string]int{}, dropped: map[string]bool{}}
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

// receive reads r to its end into the reserved space. It stores content of more than inline bytes in a file. The file
// is complete on disk when receive returns, but no record refers to it yet. The caller must drop the file if its
// transaction fails. After a crash, the next start removes the file.
func (f *files) receive(r io.Reader, reservation *Reservation, inline int) (c content, err error) {
	sum := md5.New() //nolint:gosec
	r = io.TeeReader(r, sum)
	head, err := io.ReadAll(io.LimitReader(r, int64(inline)+1))
	if err != nil {
		return c, err
	}
	if len(head) <= inline {
		return content{Inline: head, Size: int64(len(head)), MD5: sum.Sum(nil)}, nil
	}
	c.Blob = rand.Text()
	out, err := os.OpenFile(f.path(c.Blob), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			f.drop(c.Blob)
		}
	}()
	n, err := io.Copy(reservation.Writer(out), io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		_ = out.Close()
		return c, err // not wrapped: errors of the reader are S3 responses
	}
	if err = errors.Join(out.Sync(), out.Close()); err != nil {
		return c, err
	}
	c.Size, c.MD5 = n, sum.Sum(nil)
	return c, nil
}

// hold prevents the removal of files until they are released.
func (f *files) hold(names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		f.readers[name]++
	}
}

func (f *files) release(names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		if f.readers[name]--; f.readers[name] > 0 {
			continue
		}
		delete(f.readers, name)
		if f.dropped[name] {
			delete(f.dropped, name)
			_ = os.Remove(f.path(name))
		}
	}
}

// drop removes files that are no longer in any record. Files that cannot be removed now are removed at the next start.
func (f *files) drop(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		switch {
		case name == "":
		case f.readers[name] > 0:
			f.dropped[name] = true
		default:
			_ = os.Remove(f.path(name))
		}
	}
}

// sweep removes the files that are not in any record, for example those of uploads that were interrupted by a kill.
func (f *files) sweep(used map[string]bool) error {
	return filepath.WalkDir(f.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !used[e.Name()] {
			err = os.Remove(path)
		}
		return err
	})
}

// piece is a contiguous part of an object's bytes, in its record or in a file.
type piece struct {
	blob   string
	inline []byte
	size   int64
}

// reader reads consecutive pieces, with one file open at a time.
type reader struct {
	files  *files
	held   []string
	pieces []piece // not opened yet
	skip   int64   // bytes to skip in the first of them
	left   int64   // bytes still to read
	open   io.ReadCloser
}

// read returns a reader of length bytes of the pieces, starting at offset. It returns os.ErrNotExist if their files
// have already been removed.
func (f *files) read(pieces []piece, offset, length int64) (*reader, error) {
	for len(pieces) > 0 && offset >= pieces[0].size {
		offset -= pieces[0].size
		pieces = pieces[1:]
	}
	n := 0
	for end := offset + length; n < len(pieces) && end > 0; n++ { // count only the pieces before the end of the range
		end -= pieces[n].size
	}
	r := &reader{files: f, pieces: slices.Clone(pieces[:n]), skip: offset, left: length}
	for _, p := range r.pieces {
		if p.blob != "" {
			r.held = append(r.held, p.blob)
		}
	}
	f.hold(r.held)
	if length > 0 {
		if err := r.next(); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

func (r *reader) next() error {
	if len(r.pieces) == 0 {
		return io.ErrUnexpectedEOF
	}
	p, skip := r.pieces[0], r.skip
	r.pieces, r.skip = r.pieces[1:], 0
	if p.blob == "" {
		r.open = io.NopCloser(bytes.NewReader(p.inline[min(skip, int64(len(p.inline))):]))
		return nil
	}
	f, err := os.Open(r.files.path(p.blob))
	if err != nil {
		return err
	}
	if _, err := f.Seek(skip, io.SeekStart); err != nil {
		return errors.Join(err, f.Close())
	}
	r.open = f
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	for r.left > 0 {
		if r.open == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.open.Read(p[:min(int64(len(p)), r.left)])
		r.left -= int64(n)
		if err == io.EOF {
			err = r.open.Close()
			r.open = nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
	return 0, io.EOF
}

func (r *reader) Close() error {
	var err error
	if r.open != nil {
		err = r.open.Close()
		r.open = nil
	}
	r.files.release(r.held)
	r.held, r.left = nil, 0
	return err
}

// etag returns the ETag for an MD5 sum.
func etag(sum []byte) string { return hex.EncodeToString(sum) }
