package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"strconv"

	"fn-runtime/runtime/local/internal/spool"
)

// respond writes an XML document as the response.
func (c *call) respond(status int, v any) {
	out := &spool.Spool{Disk: c.db.Disk(), Dir: c.temp, Outgoing: true}
	defer out.Close()
	_, err := io.WriteString(out, xml.Header)
	if err == nil {
		err = xml.NewEncoder(out).Encode(v)
	}
	if err != nil {
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if out.LowMemory() { // the client may read slowly
		c.releaseDocument()
		c.slot.Release()
	}
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Length", strconv.FormatInt(out.Size(), 10))
	c.w.WriteHeader(status)
	_, _ = out.WriteTo(c.w)
}
