package s3

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The encoding aws-chunked, signed and unsigned, with and without trailer:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html

const (
	maxLine    = 8 << 10
	maxTrailer = 16 << 10
	emptySHA   = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// chunks decodes an aws-chunked body. Its trailer is there once it has given io.EOF.
type chunks struct {
	in       *bufio.Reader
	sig      *signature // nil: chunks carry no signatures
	previous string     // signature of the chunk before
	claimed  string     // signature of the present chunk
	sum      hash.Hash
	left     int64 // bytes of the present chunk to come
	started  bool
	trailer  http.Header
	err      error
}

func newChunks(r io.Reader, sig *signature) *chunks {
	c := &chunks{in: bufio.NewReaderSize(r, maxLine), sig: sig, sum: sha256.New(), trailer: http.Header{}}
	if sig != nil {
		c.previous = sig.value
	}
	return c
}

func (c *chunks) Read(p []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.sum.Write(p[:n])
	if err != nil {
		c.err = broken()
		return n, c.err
	}
	return n, nil
}

func broken() *refusal {
	return refuse(http.StatusBadRequest, "IncompleteBody", "The body ended early or is not in the aws-chunked encoding.")
}

// next ends the present chunk and reads the head of the following one; io.EOF after the last one and its trailer.
func (c *chunks) next() error {
	if c.started {
		if line, err := c.line(); err != nil || line != "" {
			return broken()
		}
		if err := c.verify(); err != nil {
			return err
		}
	}
	c.started = true
	head, err := c.line()
	if err != nil {
		return broken()
	}
	size, extension, _ := strings.Cut(head, ";")
	n, err := strconv.ParseInt(size, 16, 64)
	if err != nil || n < 0 || len(size) > 15 {
		return broken()
	}
	c.claimed, _ = strings.CutPrefix(extension, "chunk-signature=")
	c.left = n
	if n > 0 {
		return nil
	}
	if err := c.verify(); err != nil {
		return err
	}
	return c.end()
}

func (c *chunks) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
}

func (c *chunks) verify() error {
	sum := hex.EncodeToString(c.sum.Sum(nil))
	c.sum.Reset()
	if c.sig == nil {
		return nil
	}
	want := c.sig.over(algorithm+"-PAYLOAD", c.previous, emptySHA, sum)
	if !hmac.Equal([]byte(want), []byte(c.claimed)) {
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The signature of a chunk does not match.")
	}
	c.previous = want
	return nil
}

// end reads the trailer: lines "name:value" up to an empty line or the end of the body.
func (c *chunks) end() error {
	var canonical strings.Builder
	size := 0
	for {
		line, err := c.line()
		if line == "" {
			if err != nil && err != io.EOF {
				return broken()
			}
			break
		}
		if size += len(line); size > maxTrailer {
			return broken()
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return broken()
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		c.trailer.Set(name, value)
		if name != "x-amz-trailer-signature" {
			canonical.WriteString(name + ":" + value + "\n")
		}
	}
	if c.sig != nil && canonical.Len() > 0 {
		want := c.sig.over(algorithm+"-TRAILER", c.previous, digest(canonical.String()))
		if !hmac.Equal([]byte(want), []byte(c.trailer.Get("x-amz-trailer-signature"))) {
			return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The signature of the trailer does not match.")
		}
	}
	return io.EOF
}
