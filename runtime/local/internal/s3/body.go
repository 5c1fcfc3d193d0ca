package s3

import (
	"bytes"
	"encoding/base64"
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
	data, err := io.ReadAll(io.LimitReader(c.body, maxDocument+1))
	if no, ok := err.(*refusal); ok {
		return no
	}
	if err != nil {
		return broken()
	}
	if len(data) > maxDocument {
		return refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
	}
	c.body = verify(bytes.NewReader(data), int64(len(data)), "", nil, nil, nil)
	return nil
}

func lengthRequired() *refusal {
	return refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
}
