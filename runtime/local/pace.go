package local

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Limits for slow clients, including clients with credentials. Without them, a client that sends its body very slowly
// or does not read the response would occupy a request slot indefinitely.
const (
	paceGrace = time.Minute
	paceRate  = 1 << 10 // bytes per second, on average
)

// maxDrain is how much of an unused request body is read before an error response is sent, in bytes. If the connection
// were closed while the client is still sending, the client might not receive the response. The value exceeds the size
// of the largest action.
const maxDrain = 128 << 20

// pieceSize is how much of a response the client must read within the grace period, in bytes.
const pieceSize = 64 << 10

// clientPace limits how long a request waits for its client. The time limit for a request body is the grace period plus
// one second for each rate bytes of the body. The time limit for each piece of the response is the grace period. The
// time that the handler takes, for example to run an activation, does not count.
type clientPace struct {
	grace time.Duration
	rate  int64 // bytes per second
	drain int64 // how much of an unused request body is read before an error response, in bytes
}

// wrap returns a handler that applies the limits to the requests of next.
func (p clientPace) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paced := &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w), grace: p.grace}
		if r.ContentLength != 0 {
			paced.body = &pacedBody{ReadCloser: r.Body, control: paced.control, left: p.grace, rate: p.rate}
			r = r.WithContext(r.Context()) // copy: net/http inspects the body of its own request to handle 100-continue
			r.Body = paced.body
			if r.Header.Get("Expect") == "" { // with "Expect: 100-continue", the client has not sent the body yet
				paced.drain = p.drain
			}
		}
		defer func() { // for buffered output and for the rest of an unused body, which net/http handles after this
			_ = paced.control.SetWriteDeadline(time.Now().Add(p.grace))
			_ = paced.control.SetReadDeadline(time.Now().Add(p.grace))
		}()
		next.ServeHTTP(paced, r)
	})
}

// pacedBody sets a deadline for each read: the remaining time for the body. There is no deadline between reads.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	left    time.Duration // remaining time
	rate    int64         // bytes per second
	late    bool          // a read has timed out
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

// pacedWriter limits the time in which the client must read each piece of the response. If the request body arrived too
// slowly, it changes an error response to 408.
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
	defer w.control.SetWriteDeadline(time.Time{}) // no deadline between writes
	for first := true; first || len(p) > 0 && err == nil; first = false {
		_ = w.control.SetWriteDeadline(time.Now().Add(w.grace))
		var written int
		written, err = w.ResponseWriter.Write(p[:min(len(p), pieceSize)])
		n, p = n+written, p[written:]
	}
	return n, err
}

// Unwrap returns the wrapped writer, which http.ResponseController needs to access the connection.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
