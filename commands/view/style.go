package view

import (
	"cmp"
	"strings"

	"fn-runtime/runtime/text"
)

// style holds the SGR parameters (terminal codes) of a text style. The IBM Cloud CLI guide requires bold styles.
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

// paint returns s in a style if color is true.
func paint(color bool, st style, s string) string {
	if !color || st == plain || s == "" {
		return s
	}
	return styleSequence(st) + s + resetSequence
}

const resetSequence = "\x1b[0m"

func styleSequence(st style) string { return "\x1b[" + string(st) + "m" }

// isEntity reports whether a placeholder stands for the name of an entity, which is colored.
func isEntity(placeholder string) bool {
	switch placeholder {
	case "Name", "Runtime", "Image", "Namespace", "Bucket", "Action", "Package", "Region", "Account", "Endpoint":
		return true
	}
	return false
}

// cliProgram is the name of this program in the source texts. If the program runs standalone, the output contains the
// command that the user typed instead.
const cliProgram = "ibmcloud fn-runtime"

// formatCommands finds 'quoted commands' that begin with the CLI or this program. It replaces the name of the program,
// adds the flags that the commands need, and colors them.
func (v *View) formatCommands(s string, color bool) string {
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
			if color { // continue the style of the command after an entity
				line = strings.ReplaceAll(line, resetSequence, resetSequence+styleSequence(command))
			}
		}
		b.WriteString(s[:start+1])
		b.WriteString(paint(color, command, line))
		b.WriteByte('\'')
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String()
}
