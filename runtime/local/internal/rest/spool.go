package rest

import (
	"bytes"
	"errors"
	"io"
	"os"

	"fn-runtime/runtime/local/internal/state"
)

// inMemory is how much of a body or an answer is held in memory while its client sends or reads it, in bytes. What is
// larger waits in a file, so that a slow client costs no memory.
const inMemory = 64 << 10

// ahead is how much of the disk a file is given at first, in bytes: most need no more.
const ahead = 4 << 20

// spool holds a body or an answer on its way. It is written, then read, then closed.
type spool struct {
	api *api
	// outgoing ones stay in memory where the disk is full: what is there can be read all the same.
	outgoing bool
	memory   bytes.Buffer
	file     *os.File
	room     *state.Reservation
	to       io.Writer // the file within its reservation
	size     int64
}

func (s *spool) Write(p []byte) (n int, err error) {
	if s.file == nil && s.memory.Len()+len(p) > inMemory {
		if err := s.open(int64(len(p))); err != nil && !s.outgoing {
			return 0, err
		}
	}
	if s.file == nil {
		n, err = s.memory.Write(p)
	} else {
		n, err = s.to.Write(p)
	}
	s.size += int64(n)
	return n, err
}

// open moves what has been written into a file that has room for more bytes.
func (s *spool) open(more int64) (err error) {
	if s.room, err = s.api.DB.Disk().Reserve(max(ahead, s.size+more)); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.api.Temp, ".tmp-*") // what a kill leaves of it goes at the next start
	if err != nil {
		return err
	}
	to := s.room.Writer(f)
	if _, err := to.Write(s.memory.Bytes()); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	s.memory = bytes.Buffer{}
	s.file, s.to = f, to
	return nil
}

// waits reports whether the content is where it may wait for its client without being in the way of others.
func (s *spool) waits() bool { return s.file != nil || s.size <= inMemory }

// WriteTo copies the content to w, once.
func (s *spool) WriteTo(w io.Writer) (int64, error) {
	if s.file == nil {
		return s.memory.WriteTo(w)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(w, struct{ io.Reader }{s.file}) // in pieces, whose writers see each
}

// bytes gives the content in memory.
func (s *spool) bytes() ([]byte, error) {
	if s.file == nil {
		return s.memory.Bytes(), nil
	}
	data := make([]byte, s.size)
	_, err := s.file.ReadAt(data, 0)
	return data, err
}

// Close removes the file. What it took of the disk is free again.
func (s *spool) Close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
	if s.room != nil {
		s.room.Close()
	}
}
