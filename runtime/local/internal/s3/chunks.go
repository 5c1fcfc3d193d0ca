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

// chunks decodes an aws-chunked body. The trailer is available after Read has returned io.EOF.
type chunks struct {
	in        *bufio.Reader
	sig       *signature // nil if the chunks are not signed
	previous  string     // signature of the previous chunk
	claimed   string     // signature sent with the current chunk
	sum       hash.Hash
	remaining int64 // bytes of the current chunk that are still to be read
	started   bool
	trailer   http.Header
	err       error
}

func newChunks(r io.Reader, sig *signature) *chunks {
	c := &chunks{in: bufio.NewReaderSize(r, maxLine), sig: sig, sum: sha256.New(), trailer: http.Header{}}
	if sig != nil {
		c.previous = sig.value
	}
	return c
}

func (c *chunks) Read(p []byte) (int, error) {
	for c.err == nil && c.remaining == 0 {
		c.err = c.nextChunk()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.remaining)])
	c.remaining -= int64(n)
	c.sum.Write(p[:n])
	if err != nil {
		c.err = incompleteBody()
		return n, c.err
	}
	return n, nil
}

func incompleteBody() *apiError {
	return newError(http.StatusBadRequest, "IncompleteBody", "The body ended early or is not in the aws-chunked encoding.")
}

// nextChunk verifies the current chunk and reads the header of the next one. It returns io.EOF after the last chunk and
// the trailer.
func (c *chunks) nextChunk() error {
	if c.started {
		if line, err := c.readLine(); err != nil || line != "" {
			return incompleteBody()
		}
		if err := c.verify(); err != nil {
			return err
		}
	}
	c.started = true
	head, err := c.readLine()
	if err != nil {
		return incompleteBody()
	}
	size, extension, _ := strings.Cut(head, ";")
	n, err := strconv.ParseInt(size, 16, 64)
	if err != nil || n < 0 || len(size) > 15 {
		return incompleteBody()
	}
	c.claimed, _ = strings.CutPrefix(extension, "chunk-signature=")
	c.remaining = n
	if n > 0 {
		return nil
	}
	if err := c.verify(); err != nil {
		return err
	}
	return c.readTrailer()
}

func (c *chunks) readLine() (string, error) {
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
	want := c.sig.sign(algorithm+"-PAYLOAD", c.previous, emptySHA, sum)
	if !hmac.Equal([]byte(want), []byte(c.claimed)) {
		return newError(http.StatusForbidden, "SignatureDoesNotMatch", "The signature of a chunk does not match.")
	}
	c.previous = want
	return nil
}

// readTrailer reads the trailer: lines "name:value" up to an empty line or the end of the body. It returns io.EOF on
// success.
func (c *chunks) readTrailer() error {
	var canonical strings.Builder
	size := 0
	for {
		line, err := c.readLine()
		if line == "" {
			if err != nil && err != io.EOF {
				return incompleteBody()
			}
			break
		}
		if size += len(line); size > maxTrailer {
			return incompleteBody()
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return incompleteBody()
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		c.trailer.Set(name, value)
		if name != "x-amz-trailer-signature" {
			canonical.WriteString(name + ":" + value + "\n")
		}
	}
	if c.sig != nil && canonical.Len() > 0 {
		want := c.sig.sign(algorithm+"-TRAILER", c.previous, sha256Hex(canonical.String()))
		if !hmac.Equal([]byte(want), []byte(c.trailer.Get("x-amz-trailer-signature"))) {
			return newError(http.StatusForbidden, "SignatureDoesNotMatch", "The signature of the trailer does not match.")
		}
	}
	return io.EOF
}
