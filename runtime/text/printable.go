// Package text prepares strings for output and compares them: it escapes characters that a terminal interprets, finds
// the word that was probably meant, and compiles regular expressions on first use.
//
// It contains only functions on strings. It does not contain messages (i18n), and it does not read or write anything.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s with all characters escaped that a terminal would interpret or hide, as \xNN or \uNNNN. These are
// control characters (including escape sequences and line breaks), characters that are invisible or change the writing
// direction, and bytes that are not UTF-8. It replaces a tab with a space.
func Printable(s string) string {
	if !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			writeEscape(&b, `\x`, rune(s[i]), 2)
		case r == '\t':
			b.WriteByte(' ')
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x100:
			writeEscape(&b, `\x`, r, 2)
		case r < 0x10000:
			writeEscape(&b, `\u`, r, 4)
		default:
			writeEscape(&b, `\u`, r, 6)
		}
		i += size
	}
	return b.String()
}

// userInfo matches the user information of a URL. It also accepts a single slash after the scheme, to which path
// functions shorten the two slashes of a URL.
var userInfo = NewPattern(`([A-Za-z][A-Za-z0-9+.-]+:/{1,2})[^\s/]*@`)

// StripUserInfo returns s without the user information of the URLs in it, because it may contain passwords and tokens.
func StripUserInfo(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return userInfo.ReplaceAllString(s, "$1")
}

// Lines returns s with each line made printable. It keeps line breaks.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// Line returns s as one printable line of at most limit bytes. It separates words by single spaces and ends a truncated
// line with "...".
func Line(s string, limit int) string {
	s = Printable(strings.Join(strings.Fields(s), " "))
	if len(s) <= limit {
		return s
	}
	end := max(limit-len("..."), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// hidden reports whether a terminal would interpret or hide a character.
func hidden(r rune) bool { return !unicode.IsGraphic(r) }

// writeEscape writes a character as prefix and hexadecimal digits.
func writeEscape(b *strings.Builder, prefix string, r rune, digits int) {
	const figures = "0123456789abcdef"
	b.WriteString(prefix)
	for d := digits - 1; d >= 0; d-- {
		b.WriteByte(figures[r>>(4*d)&0xf])
	}
}
