package view

import (
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/text"
)

// Words says for a page what the view says for a terminal.
type Words struct{ v *View }

// Words returns the words of the view, without colour.
func (v *View) Words() Words { return Words{v} }

// Locale is the language, as "de_DE".
func (w Words) Locale() string { return w.v.Texts.Locale() }

// Say puts a message into the language, with the program named as it was called.
func (w Words) Say(m i18n.Message) string { return w.v.plain(m) }

// State is the name of the state of a runtime.
func (w Words) State(s runtime.State) string { return w.v.plain(stateText(s)) }

// Advice says what to do about n runtimes in a state; "" for one that is ready.
func (w Words) Advice(s runtime.State, n int) string {
	if s == runtime.Ready {
		return ""
	}
	return w.v.plain(advice(s, n))
}

// Error is what went wrong, and what to do now.
func (w Words) Error(err error) (message, recovery string) { return w.v.message(err) }

// Duration is short: "340 ms", "2.5 s", "3 m 20 s".
func (w Words) Duration(d time.Duration) string { return duration(d) }

// Safe is a text from elsewhere, fit to be shown in one line.
func (w Words) Safe(s string) string { return text.Printable(s) }
