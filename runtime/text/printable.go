// Package text makes strings fit to be shown, and compares them: what came from elsewhere without what a terminal acts
// on, the word that was probably meant, regular expressions that cost a start nothing.
//
// What may go in: functions of strings. What may not: sentences (i18n), and where strings come from or go to.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s without what a terminal would act on or hide: control characters (escape sequences and other ends
// of a line begin with one), characters that turn the direction of writing or are invisible, and bytes that are not
// UTF-8 are written as \xNN or \uNNNN. A tab becomes a blank.
func Printable(s string) string {
	if !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			hex(&b, `\x`, rune(s[i]), 2)
		case r == '\t':
			b.WriteByte(' ')
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x100:
			hex(&b, `\x`, r, 2)
		case r < 0x10000:
			hex(&b, `\u`, r, 4)
		default:
			hex(&b, `\u`, r, 6)
		}
		i += size
	}
	return b.String()
}

// userInfo finds the user part of an address, perhaps one of which a path was made.
var userInfo = NewPattern(`([A-Za-z][A-Za-z0-9+.-]+:/{1,2})[^\s/]*@`)

// StripUserInfo returns s without the user parts of the addresses in it, where people put passwords and tokens.
func StripUserInfo(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return userInfo.ReplaceAllString(s, "$1")
}

// Lines is Printable that leaves line breaks.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// Line returns s as one printable line of at most limit bytes: its words with one blank between them, and "..." where it
// was cut.
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

func hidden(r rune) bool { return !unicode.IsGraphic(r) }

func hex(b *strings.Builder, prefix string, r rune, digits int) {
	const figures = "0123456789abcdef"
	b.WriteString(prefix)
	for d := digits - 1; d >= 0; d-- {
		b.WriteByte(figures[r>>(4*d)&0xf])
	}
}
