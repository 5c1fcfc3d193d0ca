// Package view is everything that reaches the screen: streams, texts in the user's language, tables, JSON documents,
// progress and questions.
//
// What may go in: how something looks. What may not: what is done, calls to a service, flags. Each type that is shown
// has one renderer for people and one JSON document, made from the same value.
package view

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are the three streams of the process and what is known about them.
type Streams struct {
	In     io.Reader
	Out    io.Writer // results
	Err    io.Writer // progress, warnings, errors
	InTTY  bool
	OutTTY bool
	ErrTTY bool
	Dumb   bool // the terminal cannot take back what it has shown
	Width  int  // columns of the terminal; 0 when there is none
}

// System returns the streams of this process.
func System() Streams {
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Dumb:   os.Getenv("TERM") == "dumb",
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			s.Width = width
			break
		}
	}
	return s
}

// Colour decides whether a stream is coloured: the CLI's setting ("true" or "false") wins, then NO_COLOR, then whether
// the stream is a terminal that is not "dumb".
func Colour(setting string, tty bool, getenv func(string) string) bool {
	switch setting {
	case "true":
		return true
	case "false":
		return false
	}
	return tty && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
