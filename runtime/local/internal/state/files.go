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

// inlineMax is the size up to which an object lives in its record: most of what a Lithops job writes. Larger ones are
// files, so that neither side ever holds them in memory.
const inlineMax = 64 << 10

// inlinePart is inlineMax for the parts of an upload, whose records are read all together, up to 10,000.
const inlinePart = 1 << 10

// content is received data: either Inline or in the file Blob.
type content struct {
	Inline []byte
	Blob   string
	Size   int64
	MD5    []byte
}

// files are those of the large objects. One that is dropped while it is read goes when its last reader has ended.
type files struct {
	dir     string
	mu      sync.Mutex
	readers map[string]int
	dropped map[string]bool // of those that are read
}

func newFiles(dir string) *files {
	return &files{dir: dir, readers: map[string]int{}, dropped: map[string]bool{}}
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

// receive reads r to its end into the room that is reserved for it, and keeps what has more than inline bytes in a file. The
// file it may have made is complete on disk, but belongs to nobody until a record names it: the caller drops it when its
// transaction fails, and a start sweeps what a crash left.
func (f *files) receive(r io.Reader, room *Reservation, inline int) (c content, err error) {
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
	n, err := io.Copy(room.Writer(out), io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		_ = out.Close()
		return c, err // as it is: the reader's errors are answers of S3
	}
	if err = errors.Join(out.Sync(), out.Close()); err != nil {
		return c, err
	}
	c.Size, c.MD5 = n, sum.Sum(nil)
	return c, nil
}

// hold keeps files from being removed until they are released.
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

// drop removes files that no record names any more. What cannot be removed now is swept at the next start.
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

// sweep removes the files that no record names: those of uploads that a kill broke off.
func (f *files) sweep(used map[string]bool) error {
	return filepath.WalkDir(f.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !used[e.Name()] {
			err = os.Remove(path)
		}
		return err
	})
}

// piece is a run of an object's bytes: in its record, or in a file.
type piece struct {
	blob   string
	inline []byte
	size   int64
}

// reader reads bytes of pieces that lie behind each other, with one file open at a time.
type reader struct {
	files  *files
	held   []string
	pieces []piece // those that are not begun
	skip   int64   // bytes of the first of them that are not wanted
	left   int64   // bytes that are wanted
	open   io.ReadCloser
}

// read returns length bytes of pieces from offset on; os.ErrNotExist when they have been dropped already.
func (f *files) read(pieces []piece, offset, length int64) (*reader, error) {
	for len(pieces) > 0 && offset >= pieces[0].size {
		offset -= pieces[0].size
		pieces = pieces[1:]
	}
	n := 0
	for end := offset + length; n < len(pieces) && end > 0; n++ { // what lies behind the end is left alone
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

func etag(sum []byte) string { return hex.EncodeToString(sum) }
