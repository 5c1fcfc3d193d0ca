package s3

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // a checksum that S3 offers
	"crypto/sha1" //nolint:gosec // a checksum that S3 offers
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strings"
)

const checksumPrefix = "x-amz-checksum-"

const nvme = 0x9a6c9329ac4bc9b5 // polynomial of CRC-64/NVME, least significant bit first

// newChecksum returns the hash for a checksum algorithm, or nil if it is not supported. The algorithms are those of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func newChecksum(name string) hash.Hash {
	switch name {
	case "crc32":
		return crc32.NewIEEE()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		return crc64.New(crc64.MakeTable(nvme))
	case "sha1":
		return sha1.New() //nolint:gosec
	case "sha256":
		return sha256.New()
	}
	return nil
}

// verifiedReader reads a body. At the end it compares the size and the checksums with those in the headers and the
// trailer.
type verifiedReader struct {
	in         io.Reader
	size       int64 // expected number of bytes; -1 if unknown
	read       int64
	sha256     string               // expected value in hexadecimal; empty if none was sent
	sum        hash.Hash            // computed SHA-256
	sums       map[string]hash.Hash // computed checksums, by name
	headers    http.Header          // request headers with expected values
	trailer    http.Header          // trailer with expected values, filled by in; may be nil
	md5        []byte               // expected value; nil if none was sent
	md5sum     hash.Hash
	unverified string            // name of a checksum that is computed although the client sent no value
	computed   map[string]string // computed checksums in base64; set after the body has been read
	err        error
}

// verify wraps a body. announced contains the names of the checksum headers that the trailer will contain.
func verify(in io.Reader, size int64, payload string, headers, trailer http.Header, announced []string) *verifiedReader {
	v := &verifiedReader{in: in, size: size, headers: headers, trailer: trailer, sums: map[string]hash.Hash{}}
	if claim := headers.Get("Content-Md5"); claim != "" {
		v.md5, _ = base64.StdEncoding.DecodeString(claim)
		v.md5sum = md5.New() //nolint:gosec
	}
	if len(payload) == 64 {
		v.sha256, v.sum = payload, sha256.New()
	}
	names := slices.Clone(announced)
	for name := range headers {
		names = append(names, name)
	}
	for _, name := range names {
		kind, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(name)), checksumPrefix)
		if h := newChecksum(kind); ok && h != nil {
			v.sums[kind] = h
		}
	}
	return v
}

func (v *verifiedReader) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.in.Read(p)
	v.read += int64(n)
	if v.sum != nil {
		v.sum.Write(p[:n])
	}
	for _, h := range v.sums {
		h.Write(p[:n])
	}
	if v.md5sum != nil {
		v.md5sum.Write(p[:n])
	}
	switch {
	case v.size >= 0 && v.read > v.size, err == io.EOF && v.size >= 0 && v.read < v.size, err == io.ErrUnexpectedEOF:
		err = newError(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	case err == io.EOF:
		if bad := v.compare(); bad != nil {
			err = bad
		}
	}
	v.err = err
	return n, err
}

func (v *verifiedReader) compare() error {
	if v.sum != nil && hex.EncodeToString(v.sum.Sum(nil)) != strings.ToLower(v.sha256) {
		return newError(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if v.md5sum != nil && !bytes.Equal(v.md5, v.md5sum.Sum(nil)) {
		return badDigest("The Content-MD5 you specified did not match what we received.")
	}
	v.computed = map[string]string{}
	for name, h := range v.sums {
		v.computed[name] = base64.StdEncoding.EncodeToString(h.Sum(nil))
		claim := v.headers.Get(checksumPrefix + name)
		if claim == "" && v.trailer != nil {
			claim = v.trailer.Get(checksumPrefix + name)
		}
		if claim != v.computed[name] && (claim != "" || v.unverified != name) {
			return badDigest("The " + strings.ToUpper(name) + " you specified did not match the calculated checksum.")
		}
	}
	return nil
}

// addChecksum also computes a checksum for which the client sends no value.
func (v *verifiedReader) addChecksum(name string) {
	if h := newChecksum(name); h != nil && v.sums[name] == nil {
		v.sums[name], v.unverified = h, name
	}
}
