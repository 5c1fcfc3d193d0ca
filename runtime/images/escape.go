package images

import (
	"strings"
	"unicode/utf8"
)

// escape gives the length of the terminal escape sequence at the start of s (ECMA-48: CSI up to its final byte, OSC
// and other strings up to BEL or ST, else two bytes).
func escape(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		if i := strings.IndexByte(s, '\a'); i >= 0 {
			return i + 1
		}
		if i := strings.Index(s[2:], "\x1b\\"); i >= 0 {
			return i + 4
		}
		return len(s)
	}
	return 2
}

// decode reads one character; a byte that is none is skipped.
func decode(s string) (rune, int) {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return -1, 1
	}
	return r, size
}
