package s3

import (
	"strconv"
	"strings"
)

// byteRange is one range of bytes as a request asks for it: from first to last, or the last bytes when first is -1.
type byteRange struct{ first, last int64 }

// parseRange reads a Range header. It is false for what a server may ignore (RFC 9110, section 14.2): other units,
// several ranges, and what is none.
func parseRange(header string) (byteRange, bool) {
	from, to, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !ok || !strings.HasPrefix(header, "bytes=") {
		return byteRange{}, false
	}
	first, last := position(from), position(to)
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

// position is a number of digits alone, -1 for anything else. One that is too large stands for the largest.
func position(text string) int64 {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 1<<63 - 1
	}
	return n
}

// within returns what of an object of size bytes is meant; false when nothing is.
func (r byteRange) within(size int64) (offset, length int64, ok bool) {
	if r.first < 0 {
		length = min(r.last, size)
		return size - length, length, length > 0
	}
	if r.first >= size {
		return 0, 0, false
	}
	return r.first, min(r.last, size-1) - r.first + 1, true
}
