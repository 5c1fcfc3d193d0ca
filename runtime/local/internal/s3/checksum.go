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

const nvme = 0x9a6c9329ac4bc9b5 // polynomial of CRC-64/NVME, with the lowest bit first

// algorithms are the checksums of
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

// verified reads a body and, at its end, compares it with what headers and trailer claim about it.
type verified struct {
	in        io.Reader
	size      int64 // bytes that must come; -1 unknown
	read      int64
	sha256    string               // hexadecimal, "" not claimed
	sum       hash.Hash            // of sha256
	sums      map[string]hash.Hash // by checksum name
	headers   http.Header          // claims of the request
	trailer   http.Header          // claims of the trailer, filled by in; may be nil
	md5       []byte               // nil: not claimed
	md5sum    hash.Hash
	unclaimed string            // name of a checksum that is computed without a claim
	found     map[string]string // what sums came to, in base64, once all is read
	failed    error
}

// verify wraps a body. announced are the names of checksums that a trailer will bring.
func verify(in io.Reader, size int64, payload string, headers, trailer http.Header, announced []string) *verified {
	v := &verified{in: in, size: size, headers: headers, trailer: trailer, sums: map[string]hash.Hash{}}
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

func (v *verified) Read(p []byte) (int, error) {
	if v.failed != nil {
		return 0, v.failed
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
		err = refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	case err == io.EOF:
		if bad := v.compare(); bad != nil {
			err = bad
		}
	}
	v.failed = err
	return n, err
}

func (v *verified) compare() error {
	if v.sum != nil && hex.EncodeToString(v.sum.Sum(nil)) != strings.ToLower(v.sha256) {
		return refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if v.md5sum != nil && !bytes.Equal(v.md5, v.md5sum.Sum(nil)) {
		return badDigest("The Content-MD5 you specified did not match what we received.")
	}
	v.found = map[string]string{}
	for name, h := range v.sums {
		v.found[name] = base64.StdEncoding.EncodeToString(h.Sum(nil))
		claim := v.headers.Get(checksumPrefix + name)
		if claim == "" && v.trailer != nil {
			claim = v.trailer.Get(checksumPrefix + name)
		}
		if claim != v.found[name] && (claim != "" || v.unclaimed != name) {
			return badDigest("The " + strings.ToUpper(name) + " you specified did not match the calculated checksum.")
		}
	}
	return nil
}

// also computes a checksum that nobody claims.
func (v *verified) also(name string) {
	if h := newChecksum(name); h != nil && v.sums[name] == nil {
		v.sums[name], v.unclaimed = h, name
	}
}
