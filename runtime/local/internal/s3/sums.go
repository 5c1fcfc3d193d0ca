package s3

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

// A multipart upload has a checksum either of the full object or of its parts' checksums:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

// sums are the checksum elements of a document.
type sums struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func sumsOf(m map[string]string) sums {
	return sums{
		ChecksumCRC32: m["crc32"], ChecksumCRC32C: m["crc32c"], ChecksumCRC64NVME: m["crc64nvme"],
		ChecksumSHA1: m["sha1"], ChecksumSHA256: m["sha256"],
	}
}

// matches reports whether the checksums sent by a client equal the computed ones. It ignores those that were not sent.
func (s sums) matches(computed map[string]string) bool {
	for name, claimed := range map[string]string{
		"crc32": s.ChecksumCRC32, "crc32c": s.ChecksumCRC32C, "crc64nvme": s.ChecksumCRC64NVME, "sha1": s.ChecksumSHA1, "sha256": s.ChecksumSHA256,
	} {
		if claimed != "" && claimed != computed[name] {
			return false
		}
	}
	return true
}

// uploadChecksum returns the checksum algorithm and type of a new multipart upload.
func (c *call) uploadChecksum() (name, kind string, err error) {
	name, kind = strings.ToLower(c.r.Header.Get("X-Amz-Checksum-Algorithm")), c.r.Header.Get("X-Amz-Checksum-Type")
	if name == "" {
		if kind != "" {
			return "", "", invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return "", "", nil
	}
	if kind == "" {
		if kind = composite; name == "crc64nvme" {
			kind = fullObject
		}
	}
	_, crc := polynomials[name]
	switch {
	case kind != composite && kind != fullObject:
		return "", "", invalidRequest("Value for x-amz-checksum-type header is invalid.")
	case kind == composite && name == "crc64nvme", kind == fullObject && !crc:
		return "", "", invalidRequest("The " + kind + " checksum type cannot be used with the " + name + " checksum algorithm.")
	}
	return name, kind, nil
}

// completedChecksums computes the checksum of an object from those of its parts, and compares the checksum and the size
// with those in the request.
func (c *call) completedChecksums(u state.Upload, parts []state.Part) (map[string]string, error) {
	size := int64(0)
	for _, p := range parts {
		size += p.Size
	}
	if text := c.r.Header.Get("X-Amz-Mp-Object-Size"); text != "" && text != strconv.FormatInt(size, 10) {
		return nil, invalidRequest("The provided 'x-amz-mp-object-size' header does not match what was computed.")
	}
	if kind := c.r.Header.Get("X-Amz-Checksum-Type"); kind != "" && kind != u.SumType {
		return nil, invalidRequest("The upload was not created with the checksum type " + kind + ".")
	}
	for header := range c.r.Header {
		name, is := strings.CutPrefix(strings.ToLower(header), checksumPrefix)
		if is && name != u.Sum && newChecksum(name) != nil {
			return nil, invalidRequest("The upload was not created with the checksum algorithm " + name + ".")
		}
	}
	if u.Sum == "" {
		return nil, nil
	}
	var value string
	if u.SumType == composite {
		h := newChecksum(u.Sum)
		for _, p := range parts {
			data, err := base64.StdEncoding.DecodeString(p.Sums[u.Sum])
			if err != nil {
				return nil, err
			}
			h.Write(data)
		}
		value = base64.StdEncoding.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
	} else {
		var err error
		if value, err = combineCRCs(u.Sum, parts); err != nil {
			return nil, err
		}
	}
	fullSum, _, _ := strings.Cut(value, "-")
	claimed, _, _ := strings.Cut(c.r.Header.Get(checksumPrefix+u.Sum), "-")
	if claimed != "" && claimed != fullSum {
		return nil, newError(http.StatusBadRequest, "BadDigest", "The "+u.Sum+" you specified did not match the calculated checksum.")
	}
	return map[string]string{u.Sum: value}, nil
}

// polynomials of the checksums that can be combined, least significant bit first.
var polynomials = map[string]uint64{"crc32": crc32.IEEE, "crc32c": crc32.Castagnoli, "crc64nvme": nvme}

// combineCRCs returns the CRC of the concatenated parts, computed from the CRCs of the parts.
func combineCRCs(name string, parts []state.Part) (string, error) {
	bytes := newChecksum(name).Size()
	sum := uint64(0)
	for _, p := range parts {
		data, err := base64.StdEncoding.DecodeString(p.Sums[name])
		if err != nil {
			return "", err
		}
		next := binary.BigEndian.Uint64(slices.Concat(make([]byte, 8-bytes), data))
		sum = shift(sum, polynomials[name], 8*bytes, p.Size) ^ next
	}
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum)[8-bytes:]), nil
}

// shift returns the CRC of data followed by n zero bytes. It starts with the matrix for one zero bit, squares it three
// times for one byte, and once more for each bit of n (like crc32_combine of zlib).
func shift(crc, polynomial uint64, bits int, n int64) uint64 {
	m := make([]uint64, bits)
	m[0] = polynomial
	for i := 1; i < bits; i++ {
		m[i] = 1 << (i - 1)
	}
	for range 3 {
		m = square(m)
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			crc = times(m, crc)
		}
		m = square(m)
	}
	return crc
}

func square(m []uint64) []uint64 {
	out := make([]uint64, len(m))
	for i, v := range m {
		out[i] = times(m, v)
	}
	return out
}

func times(m []uint64, v uint64) (sum uint64) {
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 == 1 {
			sum ^= m[i]
		}
	}
	return sum
}
