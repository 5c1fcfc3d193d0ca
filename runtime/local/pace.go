package local

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// How slow a client may be, also one with credentials: a body that trickles, or an answer that nobody reads, would hold
// a request's place for ever.
const (
	paceGrace = time.Minute
	paceRate  = 1 << 10 // bytes per second, on average
)

// maxDrain is how much of a body is read that nobody wants, so that the client reads why: one that is still sending
// when its connection is closed may not get to the answer. It is more than the largest action, in bytes.
const maxDrain = 128 << 20

// pieceSize is how much of an answer the client must take within the grace, in bytes.
const pieceSize = 64 << 10

// patience is what a client gets: for a body the grace and a second for each rate bytes of it, and the grace again for
// each piece of an answer. Only time that is spent waiting for the client counts: an activation may take as long as it
// may.
type patience struct {
	grace time.Duration
	rate  int64
	drain int64 // bytes of a refused body that are read
}

func (p patience) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paced := &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w), grace: p.grace}
		if r.ContentLength != 0 {
			paced.body = &pacedBody{ReadCloser: r.Body, control: paced.control, left: p.grace, rate: p.rate}
			r = r.WithContext(r.Context()) // a copy: net/http looks at its own body for whether it has been asked for
			r.Body = paced.body
			if r.Header.Get("Expect") == "" { // who waits to be asked for the body has not sent it
				paced.drain = p.drain
			}
		}
		defer func() { // for what is still in buffers, and for the rest of a body that was not wanted
			_ = paced.control.SetWriteDeadline(time.Now().Add(p.grace))
			_ = paced.control.SetReadDeadline(time.Now().Add(p.grace))
		}()
		next.ServeHTTP(paced, r)
	})
}

// pacedBody sets a deadline for each read: what is left of the patience. Between reads there is none.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	left    time.Duration
	rate    int64 // bytes per second
	late    bool
}

func (b *pacedBody) Read(p []byte) (int, error) {
	began := time.Now()
	_ = b.control.SetReadDeadline(began.Add(b.left))
	n, err := b.ReadCloser.Read(p)
	_ = b.control.SetReadDeadline(time.Time{})
	b.left += time.Duration(n)*time.Second/time.Duration(b.rate) - time.Since(began)
	b.late = b.late || errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// pacedWriter bounds how long a client takes in each piece, and says 408 where its body came too slowly.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	grace   time.Duration
	body    *pacedBody
	drain   int64
}

func (w *pacedWriter) WriteHeader(status int) {
	switch {
	case w.body == nil || status < http.StatusBadRequest:
	case w.body.late:
		status = http.StatusRequestTimeout
		w.Header().Set("Connection", "close")
	default:
		_, _ = io.CopyN(io.Discard, w.body, w.drain)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *pacedWriter) Write(p []byte) (n int, err error) {
	defer w.control.SetWriteDeadline(time.Time{}) // as before each piece
	for first := true; first || len(p) > 0 && err == nil; first = false {
		_ = w.control.SetWriteDeadline(time.Now().Add(w.grace))
		var written int
		written, err = w.ResponseWriter.Write(p[:min(len(p), pieceSize)])
		n, p = n+written, p[written:]
	}
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
