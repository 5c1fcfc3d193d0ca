package view

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from elsewhere safe for a terminal: control characters (escape sequences begin with one),
// characters that change the writing direction or are invisible, and bytes that are not UTF-8 are shown as \xNN or
// \uNNNN. Line breaks stay when lines is set; tabs become a space.
func clean(s string, lines bool) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			hex(&b, `\x`, rune(s[i]), 2)
		case r == '\n' && lines:
			b.WriteByte('\n')
		case r == '\t':
			b.WriteByte(' ')
		case r < 0x100 && unicode.IsControl(r):
			hex(&b, `\x`, r, 2)
		case isHidden(r):
			hex(&b, `\u`, r, 4)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// isHidden tells of format characters (bidirectional controls, zero-width characters, tags) and line separators.
func isHidden(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

func hex(b *strings.Builder, prefix string, r rune, digits int) {
	const figures = "0123456789abcdef"
	b.WriteString(prefix)
	if r > 0xffff {
		digits = 6
	}
	for d := digits - 1; d >= 0; d-- {
		b.WriteByte(figures[r>>(4*d)&0xf])
	}
}
