// Package spool holds bodies and answers while their clients send or read them: small ones in memory, large ones in a file,
// so that a slow client costs no memory.
//
// What may go in: bytes on their way. What may not: what they mean.
package spool

import (
	"bytes"
	"errors"
	"io"
	"os"

	"fn-runtime/runtime/local/internal/state"
)

// InMemory is how much of a body or an answer is held in memory while its client sends or reads it, in bytes.
const InMemory = 64 << 10

// ahead is how much of the disk a file is given at first, in bytes: most need no more.
const ahead = 4 << 20

// Spool holds a body or an answer on its way. It is written, then read, then closed.
type Spool struct {
	Disk   *state.Disk
	Folder string // of files; "" the system's
	// Outgoing ones stay in memory where the disk is full: what is there can be read all the same.
	Outgoing bool
	memory   bytes.Buffer
	file     *os.File
	room     *state.Reservation
	to       io.Writer // the file within its reservation
	size     int64
}

// Size is the number of bytes that have been written.
func (s *Spool) Size() int64 { return s.size }

// Write adds to the content: state.ErrFull.
func (s *Spool) Write(p []byte) (n int, err error) {
	if s.file == nil && s.memory.Len()+len(p) > InMemory {
		if err := s.open(int64(len(p))); err != nil && !s.Outgoing {
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
func (s *Spool) open(more int64) (err error) {
	if s.room, err = s.Disk.Reserve(max(ahead, s.size+more)); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Folder, ".tmp-*") // what a kill leaves of it goes at the next start
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

// Waits reports whether the content is where it may wait for its client without being in the way of others.
func (s *Spool) Waits() bool { return s.file != nil || s.size <= InMemory }

// WriteTo copies the content to w, once.
func (s *Spool) WriteTo(w io.Writer) (int64, error) {
	if s.file == nil {
		return s.memory.WriteTo(w)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(w, struct{ io.Reader }{s.file}) // in pieces, whose writers see each
}

// Bytes returns the content in memory.
func (s *Spool) Bytes() ([]byte, error) {
	if s.file == nil {
		return s.memory.Bytes(), nil
	}
	data := make([]byte, s.size)
	_, err := s.file.ReadAt(data, 0)
	return data, err
}

// Close removes the file. What it took of the disk is free again.
func (s *Spool) Close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
	if s.room != nil {
		s.room.Close()
	}
}
