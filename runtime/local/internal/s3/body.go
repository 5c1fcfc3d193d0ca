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

// prepareBody sets c.body to a reader that decodes the body and verifies it at its end.
func (c *call) prepareBody(sig *signature) *apiError {
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
			return newError(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified is not valid.")
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
	// Read the whole document before it is used, so that its checksums and signature are verified.
	data, err := c.readDocument()
	if apiErr, ok := errors.AsType[*apiError](err); ok {
		return apiErr
	}
	if err != nil {
		return incompleteBody()
	}
	c.body = verify(bytes.NewReader(data), int64(len(data)), "", nil, nil, nil)
	return nil
}

// readDocument reads the body of a document into memory. All documents together have a fixed memory limit. If the limit
// is exceeded, the request fails with SlowDown. It does not wait, because other clients may send their documents slowly
// and hold the memory for a long time.
func (c *call) readDocument() ([]byte, error) {
	need := c.size
	switch {
	case need > maxDocument:
		return nil, newError(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
	case need < 0:
		need = maxDocument
	}
	if c.documentBytes == 0 {
		if !c.documentMemory.TryAcquire(need) {
			c.w.Header().Set("Retry-After", "1")
			return nil, newError(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		}
		c.documentBytes = need
	}
	data, err := io.ReadAll(io.LimitReader(c.body, need+1))
	if err == nil && int64(len(data)) > need {
		err = newError(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
	}
	return data, err
}

// releaseDocument releases the memory that readDocument has reserved.
func (c *call) releaseDocument() {
	c.documentMemory.Release(c.documentBytes)
	c.documentBytes = 0
}

// document parses the body as XML into v.
func (c *call) document(v any) error {
	data, err := c.readDocument()
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

func lengthRequired() *apiError {
	return newError(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
}
