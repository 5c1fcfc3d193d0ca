package s3

import (
	"strconv"
	"strings"
)

// byteRange is a range of bytes from first to last, inclusive. If first is -1, the range is the last bytes of the
// object, and last is the number of these bytes.
type byteRange struct{ first, last int64 }

// parseRange parses a Range header. It returns false for a header that a server may ignore (RFC 9110, section 14.2):
// other units, several ranges, and invalid ranges.
func parseRange(header string) (byteRange, bool) {
	from, to, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !ok || !strings.HasPrefix(header, "bytes=") {
		return byteRange{}, false
	}
	first, last := parsePosition(from), parsePosition(to)
	switch {
	case from == "" && last >= 0:
		return byteRange{-1, last}, true
	case first < 0, to != "" && last < first:
		return byteRange{}, false
	case to == "":
		last = 1<<63 - 1
	}
	return byteRange{first, last}, true
}

// parsePosition parses a decimal number. It returns -1 if text contains anything but digits, and the maximum int64 if
// the number is too large.
func parsePosition(text string) int64 {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 1<<63 - 1
	}
	return n
}

// resolve returns the offset and length of the range in an object of size bytes. It returns false if the range is not
// satisfiable.
func (r byteRange) resolve(size int64) (offset, length int64, ok bool) {
	if r.first < 0 {
		length = min(r.last, size)
		return size - length, length, length > 0
	}
	if r.first >= size {
		return 0, 0, false
	}
	return r.first, min(r.last, size-1) - r.first + 1, true
}
