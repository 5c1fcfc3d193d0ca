package state

import (
	"io"
	"sync"
)

// Disk divides the free space of a disk among all writers, so that Limits.FreeBytes stay free. It is not enough that
// each writer checks the free space: two writers could both find space that suffices for only one of them.
//
//	reservation, err := disk.Reserve(size) // ErrFull
//	if err != nil {
//		return err
//	}
//	defer reservation.Close()
//	_, err = io.Copy(reservation.Writer(file), body)
//
// Callers that write by other means, such as a child process, reserve the expected size and close the reservation after
// the write.
type Disk struct {
	dir      string
	floor    int64
	free     func(dir string) (int64, bool) // free bytes; false if unknown
	mu       sync.Mutex
	reserved int64 // bytes that are reserved but not written yet
}

// Disk returns the disk of the state, for all writers to its directory.
func (d *DB) Disk() *Disk { return d.disk }

// Reserve reserves n bytes. It returns ErrFull if less than the minimum would stay free. The caller must close the
// reservation.
func (d *Disk) Reserve(n int64) (*Reservation, error) {
	r := &Reservation{disk: d}
	if err := r.reserve(max(n, 0)); err != nil {
		return nil, err
	}
	return r, nil
}

// Reservation is disk space reserved for one writer. It is not safe for concurrent use.
type Reservation struct {
	disk *Disk
	left int64
}

// reserve adds n bytes to the reservation. It returns ErrFull if less than the minimum would stay free.
func (r *Reservation) reserve(n int64) error {
	d := r.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if left, ok := d.free(d.dir); ok && left-d.reserved-n < d.floor {
		return ErrFull
	}
	d.reserved += n
	r.left += n
	return nil
}

// release removes n bytes from the reservation, because they have been written and reduce the free space of the disk
// itself, or because they will not be written.
func (r *Reservation) release(n int64) {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	r.disk.reserved -= n
	r.left -= n
}

// Close releases the bytes that have not been written. It is idempotent.
func (r *Reservation) Close() { r.release(r.left) }

// Writer returns a writer to w that uses up the reservation. When the reservation is used up, Write reserves further
// bytes itself, and returns ErrFull if this fails.
func (r *Reservation) Writer(w io.Writer) io.Writer { return reservedWriter{r, w} }

type reservedWriter struct {
	reservation *Reservation
	to          io.Writer
}

func (w reservedWriter) Write(p []byte) (int, error) {
	if more := int64(len(p)) - w.reservation.left; more > 0 {
		if err := w.reservation.reserve(more); err != nil {
			return 0, err
		}
	}
	n, err := w.to.Write(p)
	w.reservation.release(int64(n))
	return n, err
}
