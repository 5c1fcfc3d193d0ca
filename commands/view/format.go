package view

import (
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/text"
)

// Formatter formats texts and values for a web page in the same way as the view does for a terminal, without color.
type Formatter struct{ v *View }

// Formatter returns a Formatter that uses the language of the view.
func (v *View) Formatter() Formatter { return Formatter{v} }

// Locale returns the locale, such as "de_DE".
func (f Formatter) Locale() string { return f.v.Texts.Locale() }

// Text translates a message and replaces the name of the program by the command that the user typed.
func (f Formatter) Text(m i18n.Message) string { return f.v.plain(m) }

// State returns the name of the state of a runtime.
func (f Formatter) State(s runtime.State) string { return f.v.plain(stateText(s)) }

// Advice returns what the user can do about n runtimes in a state. It returns "" for the state Ready.
func (f Formatter) Advice(s runtime.State, n int) string {
	if s == runtime.Ready {
		return ""
	}
	return f.v.plain(advice(s, n))
}

// Error returns the reason of an error and the suggested fix.
func (f Formatter) Error(err error) (message, recovery string) { return f.v.message(err) }

// Duration formats a duration, such as "340 ms", "2.5 s" or "3 m 20 s".
func (f Formatter) Duration(d time.Duration) string { return duration(d) }

// Sanitize returns untrusted text in a form that is safe to show on one line.
func (f Formatter) Sanitize(s string) string { return text.Printable(s) }
