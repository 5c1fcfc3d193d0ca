package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// receive makes the body readable: the bytes that are meant, verified at their end.
func (c *call) receive(sig *signature) *refusal {
	h := c.r.Header
	payload := h.Get("X-Amz-Content-Sha256")
	c.size = c.r.ContentLength
	body := io.Reader(c.r.Body)
	var trailer http.Header
	var announced []string
	switch {
	case strings.HasPrefix(payload, "STREAMING-"):
		n, err := strconv.ParseInt(h.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || n < 0 || n > maxObject {
			return lengthRequired()
		}
		switch payload {
		case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
			sig = nil
		case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
			if sig == nil {
				return invalidRequest("Signed chunks need a signed request.")
			}
		default:
			return notImplemented(strconv.Quote(payload))
		}
		decoded := newChunks(c.r.Body, sig)
		body, trailer, c.size = decoded, decoded.trailer, n
		announced = strings.Split(h.Get("X-Amz-Trailer"), ",")
		for i, name := range announced {
			announced[i] = strings.ToLower(strings.TrimSpace(name))
			if kind, is := strings.CutPrefix(announced[i], checksumPrefix); is && newChecksum(kind) == nil {
				return notImplemented("'" + announced[i] + "'")
			}
		}
	case c.r.ProtoMajor == 1 && c.r.Method == http.MethodPut && c.key != "" && c.size == 0 && h.Get("Content-Length") == "" && h.Get("X-Amz-Copy-Source") == "":
		return lengthRequired()
	}
	if claim := h.Get("Content-Md5"); h.Values("Content-Md5") != nil {
		if sum, err := base64.StdEncoding.DecodeString(claim); err != nil || len(sum) != 16 {
			return refuse(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified is not valid.")
		}
	}
	claims := h
	if c.r.Method == http.MethodPost && c.q.Has("uploadId") {
		claims = nil // checksums of CompleteMultipartUpload are those of the object, not of its body
	}
	c.body = verify(io.LimitReader(body, maxObject+1), c.size, payload, claims, trailer, announced)
	if c.r.Method != http.MethodPost {
		return nil
	}
	// Documents are read whole, so that what is acted on has been verified.
	data, err := c.whole()
	if no, ok := errors.AsType[*refusal](err); ok {
		return no
	}
	if err != nil {
		return broken()
	}
	c.body = verify(bytes.NewReader(data), int64(len(data)), "", nil, nil, nil)
	return nil
}

// whole reads the body of a document into memory, of which all documents together have a bounded part. Who finds none
// left is refused rather than kept waiting: clients may be slow to send what others then wait for.
func (c *call) whole() ([]byte, error) {
	need := c.size
	switch {
	case need > maxDocument:
		return nil, refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
	case need < 0:
		need = maxDocument
	}
	if c.held == 0 {
		if !c.documents.TryAcquire(need) {
			c.w.Header().Set("Retry-After", "1")
			return nil, refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		}
		c.held = need
	}
	data, err := io.ReadAll(io.LimitReader(c.body, need+1))
	if err == nil && int64(len(data)) > need {
		err = refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
	}
	return data, err
}

// let gives back what whole has taken.
func (c *call) let() {
	c.documents.Release(c.held)
	c.held = 0
}

// document reads the body as XML into v.
func (c *call) document(v any) error {
	data, err := c.whole()
	if err != nil {
		return err
	}
	c.parsing.Lock()
	defer c.parsing.Unlock()
	if err := xml.Unmarshal(data, v); err != nil {
		return malformedXML()
	}
	return nil
}

func lengthRequired() *refusal {
	return refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
}
