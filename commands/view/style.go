package view

import (
	"cmp"
	"strings"

	"fn-runtime/runtime/text"
)

// style is how a word is marked, by the IBM Cloud CLI guide: all bold.
type style string

const (
	plain      style = ""
	bold       style = "1"
	entityName style = "36;1" // cyan
	command    style = "33;1" // yellow
	success    style = "32;1" // green
	failure    style = "31;1" // red
	warning    style = "35;1" // magenta
)

// paint marks s when colour is on.
func paint(colour bool, st style, s string) string {
	if !colour || st == plain || s == "" {
		return s
	}
	return startOf(st) + s + endOfStyle
}

const endOfStyle = "\x1b[0m"

func startOf(st style) string { return "\x1b[" + string(st) + "m" }

// entityArgs are the placeholders of texts that name an entity.
func isEntity(placeholder string) bool {
	switch placeholder {
	case "Name", "Runtime", "Image", "Namespace", "Bucket", "Action", "Package", "Region", "Account", "Endpoint":
		return true
	}
	return false
}

// cliProgram is how texts in the source write this program; a standalone run says what was typed instead.
const cliProgram = "ibmcloud fn-runtime"

// commands finds 'commands in quotes' that begin with this program or the CLI, puts in the name of the program as it was
// called and the flags that they need, and marks them.
func (v *View) commands(s string, colour bool) string {
	var b strings.Builder
	for {
		start := strings.Index(s, "'ibmcloud ")
		if start < 0 {
			break
		}
		end := strings.IndexByte(s[start+1:], '\'')
		if end < 0 {
			break
		}
		end += start + 1
		line := s[start+1 : end]
		if rest, ok := strings.CutPrefix(line, cliProgram); ok {
			if v.FlagsFor != nil {
				rest += text.Printable(v.FlagsFor(rest))
			}
			line = cmp.Or(v.Program, cliProgram) + rest
			if colour { // goes on behind an entity
				line = strings.ReplaceAll(line, endOfStyle, endOfStyle+startOf(command))
			}
		}
		b.WriteString(s[:start+1])
		b.WriteString(paint(colour, command, line))
		b.WriteByte('\'')
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String()
}
