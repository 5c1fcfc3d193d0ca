package lithops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// writePython writes a valid JSON value like Python's json.dumps: with ", " and ": " as separators, in ASCII, and with
// the order and the format of numbers unchanged.
func writePython(out *bytes.Buffer, value json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	type level struct {
		object bool
		count  int // tokens written; in an object keys and values alternate
	}
	var stack []level
	separate := func() {
		if len(stack) == 0 {
			return
		}
		top := &stack[len(stack)-1]
		switch {
		case top.object && top.count%2 == 1:
			out.WriteString(": ")
		case top.count > 0:
			out.WriteString(", ")
		}
		top.count++
	}
	for {
		t, err := d.Token()
		if err != nil {
			return
		}
		switch t := t.(type) {
		case json.Delim:
			if t == '}' || t == ']' {
				stack = stack[:len(stack)-1]
				out.WriteByte(byte(t))
				continue
			}
			separate()
			out.WriteByte(byte(t))
			stack = append(stack, level{object: t == '{'})
		case string:
			separate()
			writePythonText(out, t)
		case nil:
			separate()
			out.WriteString("null")
		default: // json.Number, bool
			separate()
			fmt.Fprint(out, t)
		}
	}
}

// writePythonText writes a string like Python's json.dumps.
func writePythonText(out *bytes.Buffer, text string) {
	out.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(byte(c))
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\r':
			out.WriteString(`\r`)
		case c == '\t':
			out.WriteString(`\t`)
		case c == '\b':
			out.WriteString(`\b`)
		case c == '\f':
			out.WriteString(`\f`)
		case c >= ' ' && c < 0x7f || c == 0x7f:
			out.WriteByte(byte(c))
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(out, `\u%04x`, c)
		}
	}
	out.WriteByte('"')
}
