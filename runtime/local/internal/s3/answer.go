package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"time"

	"fn-runtime/runtime/local/internal/spool"
)

// How many requests make a long answer at a time, and how long one waits for its turn.
const (
	turns    = 4
	turnWait = 20 * time.Second
)

// work waits for a place among those that make long answers: a page of a listing can have megabytes. The place is kept
// while the answer is made, not while its client reads it.
func (c *call) work() error {
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case c.turns <- struct{}{}:
		c.working = true
		return nil
	case <-timer.C:
	case <-c.r.Context().Done():
	}
	c.w.Header().Set("Retry-After", "1")
	return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// done returns the place back; nothing without one.
func (c *call) done() {
	if c.working {
		<-c.turns
		c.working = false
	}
}

// answer writes a document.
func (c *call) answer(status int, v any) {
	out := &spool.Spool{Disk: c.db.Disk(), Folder: c.temp, Outgoing: true}
	defer out.Close()
	_, err := io.WriteString(out, xml.Header)
	if err == nil {
		err = xml.NewEncoder(out).Encode(v)
	}
	if err != nil {
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if out.Waits() { // the client may be slow to read
		c.let()
		c.done()
	}
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Length", strconv.FormatInt(out.Size(), 10))
	c.w.WriteHeader(status)
	_, _ = out.WriteTo(c.w)
}
