package state

import (
	"io"
	"sync"
)

// Disk shares out what is free of a disk among all that write to it, so that together they leave Limits.FreeBytes free. A
// look at the disk alone cannot do that: two writers would both find the room that is there for one.
//
//	room, err := disk.Reserve(size) // ErrFull
//	if err != nil {
//		return err
//	}
//	defer room.Close()
//	_, err = io.Copy(room.Writer(file), body)
//
// Whoever writes by other means, such as a child process, reserves what will be written and closes the reservation when it
// has been.
type Disk struct {
	dir      string
	floor    int64
	free     func(dir string) (int64, bool) // bytes that are left; false where that cannot be told
	mu       sync.Mutex
	promised int64 // bytes that are reserved and not written yet
}

// Disk returns the disk of the state, for everybody who writes into its folder.
func (d *DB) Disk() *Disk { return d.disk }

// Reserve sets n bytes aside, or returns ErrFull when the disk would have less left than it must. The reservation is to be
// closed.
func (d *Disk) Reserve(n int64) (*Reservation, error) {
	r := &Reservation{disk: d}
	if err := r.take(max(n, 0)); err != nil {
		return nil, err
	}
	return r, nil
}

// Reservation is room on a disk that one writer has. It is for one goroutine.
type Reservation struct {
	disk *Disk
	left int64
}

func (r *Reservation) take(n int64) error {
	d := r.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if left, known := d.free(d.dir); known && left-d.promised-n < d.floor {
		return ErrFull
	}
	d.promised += n
	r.left += n
	return nil
}

// give gives back what has been written, which the disk itself counts from then on, or what will not be.
func (r *Reservation) give(n int64) {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	r.disk.promised -= n
	r.left -= n
}

// Close gives back what has not been written. It may be called more than once.
func (r *Reservation) Close() { r.give(r.left) }

// Writer writes to w what has been reserved. What goes beyond is reserved as it comes: ErrFull.
func (r *Reservation) Writer(w io.Writer) io.Writer { return reservedWriter{r, w} }

type reservedWriter struct {
	room *Reservation
	to   io.Writer
}

func (w reservedWriter) Write(p []byte) (int, error) {
	if more := int64(len(p)) - w.room.left; more > 0 {
		if err := w.room.take(more); err != nil {
			return 0, err
		}
	}
	n, err := w.to.Write(p)
	w.room.give(int64(n))
	return n, err
}
