// Package spool buffers request and response bodies while clients send or read them. Small bodies stay in memory and
// large bodies are written to a file, so that a slow client does not occupy memory.
//
// It does not interpret the bodies.
package spool

import (
	"bytes"
	"errors"
	"io"
	"os"

	"fn-runtime/runtime/local/internal/state"
)

// InMemory is the largest size of a body that is held in memory, in bytes.
const InMemory = 64 << 10

// initialReserve is the disk space that is reserved for a new file, in bytes. It is enough for most files.
const initialReserve = 4 << 20

// Spool holds one body. The caller writes it, then reads it, then closes it.
type Spool struct {
	Disk *state.Disk
	Dir  string // directory of the files; empty means the system's directory for temporary files
	// Outgoing marks a response. A response stays in memory if the disk is full, so that existing data remains readable.
	Outgoing    bool
	memory      bytes.Buffer
	file        *os.File
	reservation *state.Reservation
	to          io.Writer // writes to the file and counts against the reservation
	size        int64
}

// Size returns the number of bytes written so far.
func (s *Spool) Size() int64 { return s.size }

// Write appends p to the content. It returns state.ErrFull if the disk is full.
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

// open moves the content from memory to a file and reserves disk space for at least more further bytes.
func (s *Spool) open(more int64) (err error) {
	if s.reservation, err = s.Disk.Reserve(max(initialReserve, s.size+more)); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Dir, ".tmp-*") // if the endpoint is killed, its next start removes the file
	if err != nil {
		return err
	}
	to := s.reservation.Writer(f)
	if _, err := to.Write(s.memory.Bytes()); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	s.memory = bytes.Buffer{}
	s.file, s.to = f, to
	return nil
}

// LowMemory reports whether the spool occupies at most InMemory bytes of memory, so that it can wait for a slow client.
func (s *Spool) LowMemory() bool { return s.file != nil || s.size <= InMemory }

// WriteTo copies the content to w. It can be called once.
func (s *Spool) WriteTo(w io.Writer) (int64, error) {
	if s.file == nil {
		return s.memory.WriteTo(w)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(w, struct{ io.Reader }{s.file}) // hides WriteTo of the file, so that w receives every chunk
}

// Bytes returns the content as one slice.
func (s *Spool) Bytes() ([]byte, error) {
	if s.file == nil {
		return s.memory.Bytes(), nil
	}
	data := make([]byte, s.size)
	_, err := s.file.ReadAt(data, 0)
	return data, err
}

// Close removes the file and releases its disk reservation.
func (s *Spool) Close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
	if s.reservation != nil {
		s.reservation.Close()
	}
}
