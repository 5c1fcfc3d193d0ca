package view

import (
	"fmt"
	"io"

	"fn-runtime/i18n"
	"fn-runtime/runtime/text"
)

// View shows results, progress and errors of one command.
type View struct {
	Streams
	Texts     *i18n.Catalogue
	Program   string                   // how this program was called: "ibmcloud fn-runtime", or the path typed
	FlagsFor  func(line string) string // returns the flags with which a command of a text works where this one does; nil: none
	JSON      bool                     // one JSON document on Out and nothing else
	Quiet     bool                     // no progress, and nothing of a change that was made as it was asked for
	OutColour bool
	ErrColour bool

	filter   filter    // of documents; nil: they are written whole
	progress *progress // made with the first use of Observer
}

// text is a message for Out.
func (v *View) text(m i18n.Message) string { return v.render(m, v.OutColour, true) }

// errText is a message for Err.
func (v *View) errText(m i18n.Message) string { return v.render(m, v.ErrColour, true) }

// plain is a message without colour, for JSON and for cells of tables.
func (v *View) plain(m i18n.Message) string { return v.render(m, false, false) }

// render puts a message into the language, makes its arguments safe and marks entities and commands.
func (v *View) render(m i18n.Message, colour, lines bool) string {
	s := v.Texts.SayDressed(m, func(name, value string) string {
		value = text.StripUserInfo(value)
		if lines {
			value = text.Lines(value)
		} else {
			value = text.Printable(value)
		}
		if isEntity(name) {
			return paint(colour, entityName, value)
		}
		return value
	})
	return v.commands(s, colour)
}

// out writes prose to Out: in a terminal in lines that fit, elsewhere as it is.
func (v *View) out() page {
	p := page{w: v.Out, colour: v.OutColour}
	if v.OutTTY {
		p.width = v.Width
	}
	return p
}

// err is out for Err.
func (v *View) err() page {
	p := page{w: v.Err, colour: v.ErrColour}
	if v.ErrTTY {
		p.width = v.Width
	}
	return p
}

// Say writes a message for people to Out; nothing with JSON.
func (v *View) Say(m i18n.Message) {
	if !v.JSON {
		v.out().prose(v.text(m))
	}
}

// ok says that the work is done, with the details that follow; with Quiet the exit status is enough.
func (v *View) ok(details ...i18n.Message) {
	if v.JSON || v.Quiet {
		return
	}
	fmt.Fprintln(v.Out, paint(v.OutColour, success, v.Texts.Say(i18n.M("OK"))))
	for _, d := range details {
		if !d.IsZero() {
			v.Say(d)
		}
	}
}

// Next says what comes next when all went well; nothing with Quiet.
func (v *View) Next(m i18n.Message) {
	if !v.Quiet {
		v.Say(m)
	}
}

// Raw copies bytes that a person or a program asked for, such as a configuration, to Out.
func (v *View) Raw(data []byte) error {
	_, err := v.Out.Write(data)
	return err
}

// LineWriter returns a writer for live lines of an external process (a build's): Err, or nowhere with JSON or Quiet.
func (v *View) LineWriter() io.Writer {
	if v.JSON || v.Quiet {
		return io.Discard
	}
	return &lineWriter{v: v}
}
