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

// page writes prose in lines of at most width columns; no width, no breaks.
type page struct {
	w      io.Writer
	colour bool
	width  int
}

func (p page) line(s string) { fmt.Fprintln(p.w, s) }

// prose writes a text of one or more paragraphs. A line that is indented is not ours - a log, a list - and stays as it is.
func (p page) prose(text string) {
	for one := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(one, " ") {
			p.line(one)
		} else {
			p.paragraph(one, "", "")
		}
	}
}

// paragraph writes text with line breaks; first begins the first line, rest every other. What has no place to break
// goes beyond the width, so that it can be copied.
func (p page) paragraph(text, first, rest string) {
	if p.width <= 0 {
		p.line(strings.TrimRight(first+text, " "))
		return
	}
	line, used := first, printed(first)
	empty := true
	for _, part := range parts(text) {
		w := printed(part.text)
		gap := ""
		if part.spaced && !empty {
			gap = " "
		}
		if !empty && used+len(gap)+w > p.width {
			p.line(line)
			line, used, gap = rest, printed(rest), ""
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
	spaced bool // a blank stands before it where it does not begin a line
}

// parts splits prose at blanks, and between the characters of languages that have none; 'quoted commands' and
// [bracketed groups] stay together.
func parts(text string) []part {
	var list []part
	for _, word := range words(text) {
		for i, s := range unspaced(word) {
			list = append(list, part{s, i == 0})
		}
	}
	return list
}

// words splits at blanks, but keeps [bracketed groups] and 'quoted commands' together.
func words(text string) []string {
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
		if n := escape(text[i:]); n > 0 {
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

// opensCommand reports whether the apostrophe between before and after opens a 'quoted command' of several words: it
// stands behind no letter of ours, as that of l'image does, and has another one to close it.
func opensCommand(before, after string) bool {
	if r, _ := utf8.DecodeLastRuneInString(before); unicode.IsLetter(r) && !ideographic(r) && !unicode.Is(unicode.Hangul, r) {
		return false
	}
	after = bare(after)
	end := strings.IndexByte(after, '\'')
	return end > 0 && after[0] != ' ' && after[end-1] != ' '
}

// unspaced splits a word between characters of Chinese and Japanese, by the rules of Unicode (UAX #14): no line begins
// with a full stop or ends with an opening bracket. Other words, Korean ones among them, stay whole.
func unspaced(word string) []string {
	plain := bare(word)
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
	return dressed(word, list)
}

// ideographic tells of the characters between which a line may break, and of their punctuation.
func ideographic(r rune) bool {
	return runewidth.RuneWidth(r) == 2 && !unicode.Is(unicode.Hangul, r)
}

// dressed puts the colours of word back into the pieces that its bare text was cut into.
func dressed(word string, pieces []string) []string {
	list := make([]string, 0, len(pieces))
	for n, piece := range pieces {
		var b strings.Builder
		for left := len(piece); left > 0 || n == len(pieces)-1 && word != ""; {
			if k := escape(word); k > 0 {
				b.WriteString(word[:k])
				word = word[k:]
				continue
			}
			b.WriteByte(word[0])
			word = word[1:]
			left--
		}
		for escape(word) > 0 && strings.HasPrefix(word, "\x1b[0m") {
			b.WriteString(word[:4])
			word = word[4:]
		}
		list = append(list, b.String())
	}
	return list
}

// escape is the length of the colour that s begins with, 0 when it begins with none.
func escape(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	return strings.IndexByte(s, 'm') + 1
}
