package view

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/rivo/uniseg"
)

// proseWriter writes prose in lines of at most width columns. If width is 0, it does not wrap lines.
type proseWriter struct {
	w     io.Writer
	color bool
	width int
}

func (p proseWriter) line(s string) { fmt.Fprintln(p.w, s) }

// prose writes a text of one or more paragraphs. It does not wrap an indented line, which is part of a log or list.
func (p proseWriter) prose(text string) {
	for one := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(one, " ") {
			p.line(one)
		} else {
			p.paragraph(one, "", "")
		}
	}
}

// paragraph writes text with line breaks. first is the prefix of the first line, rest that of all other lines. A part
// that cannot be broken may exceed the width, so that the user can copy it.
func (p proseWriter) paragraph(text, first, rest string) {
	if p.width <= 0 {
		p.line(strings.TrimRight(first+text, " "))
		return
	}
	line, used := first, displayWidth(first)
	empty := true
	for _, part := range parts(text) {
		w := displayWidth(part.text)
		gap := ""
		if part.spaced && !empty {
			gap = " "
		}
		if !empty && used+len(gap)+w > p.width {
			p.line(line)
			line, used, gap = rest, displayWidth(rest), ""
		}
		line += gap + part.text
		used += len(gap) + w
		empty = false
	}
	p.line(strings.TrimRight(line, " "))
}

// part is a piece of prose that stays on one line.
type part struct {
	text   string
	spaced bool // a space precedes the part unless it starts a line
}

// parts splits prose at spaces, and between the characters of languages without spaces. It does not split 'quoted
// commands' and [bracketed groups].
func parts(text string) []part {
	var list []part
	for _, word := range splitWords(text) {
		for i, s := range splitIdeographs(word) {
			list = append(list, part{s, i == 0})
		}
	}
	return list
}

// splitWords splits text at spaces outside of [bracketed groups] and 'quoted commands'.
func splitWords(text string) []string {
	var list []string
	var word strings.Builder
	depth, quoted := 0, false
	flush := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(text); {
		if n := colorLen(text[i:]); n > 0 {
			word.WriteString(text[i : i+n])
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == '\'' && quoted:
			quoted = false
		case r == '\'' && opensCommand(text[:i], text[i+1:]):
			quoted = true
		}
		if r == ' ' && depth <= 0 && !quoted {
			flush()
		} else {
			word.WriteString(text[i : i+size])
		}
		i += size
	}
	flush()
	return list
}

// opensCommand reports whether the apostrophe between before and after opens a 'quoted command'. An apostrophe after a
// letter, as in l'image, does not open a command, unless the letter is Chinese, Japanese or Korean. A closing
// apostrophe must follow.
func opensCommand(before, after string) bool {
	if r, _ := utf8.DecodeLastRuneInString(before); unicode.IsLetter(r) && !ideographic(r) && !unicode.Is(unicode.Hangul, r) {
		return false
	}
	after = stripColors(after)
	end := strings.IndexByte(after, '\'')
	return end > 0 && after[0] != ' ' && after[end-1] != ' '
}

// splitIdeographs splits a word between Chinese and Japanese characters by the rules of Unicode (UAX #14): no line
// begins with a full stop or ends with an opening bracket. It does not split other words, including Korean words.
func splitIdeographs(word string) []string {
	plain := stripColors(word)
	if !strings.ContainsFunc(plain, ideographic) {
		return []string{word}
	}
	var list []string
	begin, state := 0, -1
	for rest := plain; rest != ""; {
		var segment string
		segment, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		last, _ := utf8.DecodeLastRuneInString(segment)
		next, _ := utf8.DecodeRuneInString(rest)
		if rest != "" && !ideographic(last) && !ideographic(next) {
			continue
		}
		end := len(plain) - len(rest)
		list = append(list, plain[begin:end])
		begin = end
	}
	return restoreColors(word, list)
}

// ideographic reports whether a character is Chinese or Japanese, including punctuation. A line may break between such
// characters.
func ideographic(r rune) bool {
	return runewidth.RuneWidth(r) == 2 && !unicode.Is(unicode.Hangul, r)
}

// restoreColors adds the colors of word to the pieces that its text without colors was split into.
func restoreColors(word string, pieces []string) []string {
	list := make([]string, 0, len(pieces))
	for n, piece := range pieces {
		var b strings.Builder
		for left := len(piece); left > 0 || n == len(pieces)-1 && word != ""; {
			if k := colorLen(word); k > 0 {
				b.WriteString(word[:k])
				word = word[k:]
				continue
			}
			b.WriteByte(word[0])
			word = word[1:]
			left--
		}
		for colorLen(word) > 0 && strings.HasPrefix(word, "\x1b[0m") {
			b.WriteString(word[:4])
			word = word[4:]
		}
		list = append(list, b.String())
	}
	return list
}

// colorLen returns the length of the color sequence at the start of s. It returns 0 if there is none.
func colorLen(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	return strings.IndexByte(s, 'm') + 1
}
