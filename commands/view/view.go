package view

import (
	"fmt"
	"io"

	"fn-runtime/i18n"
	"fn-runtime/runtime/text"
)

// View shows the results, progress and errors of one command.
type View struct {
	Streams
	Texts    *i18n.Catalog
	Program  string                   // how the user called this program: "ibmcloud fn-runtime", or the path typed
	FlagsFor func(line string) string // returns the flags that a suggested command needs for the same target; nil for none
	JSON     bool                     // write one JSON document to Out and nothing else
	Quiet    bool                     // do not report progress or success
	OutColor bool
	ErrColor bool

	filter   filter    // of JSON documents; nil to write the whole document
	progress *progress // created by the first call of Observer
}

// text returns a message formatted for Out.
func (v *View) text(m i18n.Message) string { return v.render(m, v.OutColor, true) }

// errText returns a message formatted for Err.
func (v *View) errText(m i18n.Message) string { return v.render(m, v.ErrColor, true) }

// plain returns a message without color, for JSON and for table cells.
func (v *View) plain(m i18n.Message) string { return v.render(m, false, false) }

// render translates a message, sanitizes its arguments and colors entities and commands. It keeps the line breaks of
// arguments if lines is true.
func (v *View) render(m i18n.Message, color, lines bool) string {
	s := v.Texts.TranslateFunc(m, func(name, value string) string {
		value = text.StripUserInfo(value)
		if lines {
			value = text.Lines(value)
		} else {
			value = text.Printable(value)
		}
		if isEntity(name) {
			return paint(color, entityName, value)
		}
		return value
	})
	return v.formatCommands(s, color)
}

// out returns a writer of prose to Out. It wraps lines to the width of the terminal; without a terminal it does not
// wrap.
func (v *View) out() proseWriter {
	p := proseWriter{w: v.Out, color: v.OutColor}
	if v.OutTTY {
		p.width = v.Width
	}
	return p
}

// err is like out for Err.
func (v *View) err() proseWriter {
	p := proseWriter{w: v.Err, color: v.ErrColor}
	if v.ErrTTY {
		p.width = v.Width
	}
	return p
}

// Print writes a message to Out. It writes nothing with JSON.
func (v *View) Print(m i18n.Message) {
	if !v.JSON {
		v.out().prose(v.text(m))
	}
}

// ok prints "OK" and the details. It prints nothing with JSON or Quiet.
func (v *View) ok(details ...i18n.Message) {
	if v.JSON || v.Quiet {
		return
	}
	fmt.Fprintln(v.Out, paint(v.OutColor, success, v.Texts.Translate(i18n.M("OK"))))
	for _, d := range details {
		if !d.IsZero() {
			v.Print(d)
		}
	}
}

// Hint suggests the next step after success. It prints nothing with JSON or Quiet.
func (v *View) Hint(m i18n.Message) {
	if !v.Quiet {
		v.Print(m)
	}
}

// Raw writes data that the user requested, such as a configuration, to Out without changes.
func (v *View) Raw(data []byte) error {
	_, err := v.Out.Write(data)
	return err
}

// LineWriter returns a writer for the output of an external process, such as a build. It writes to Err. With JSON or
// Quiet it discards the output.
func (v *View) LineWriter() io.Writer {
	if v.JSON || v.Quiet {
		return io.Discard
	}
	return &lineWriter{v: v}
}
