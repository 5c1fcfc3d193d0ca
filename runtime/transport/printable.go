package transport

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes text from elsewhere fit for a terminal: one line, no control characters or escape sequences, no
// characters that change the direction of writing, at most max bytes.
func Printable(text string, max int) string {
	var b strings.Builder
	space := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case r == utf8.RuneError, !unicode.IsPrint(r):
			r = '?'
		}
		if b.Len()+utf8.RuneLen(r)+1 > max {
			b.WriteString("...")
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
