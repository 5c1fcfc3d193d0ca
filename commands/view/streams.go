// Package view implements the output of the commands: streams, texts in the user's language, tables, JSON documents,
// progress and questions. Each type that is shown has a text format and a JSON document, which are created from the
// same value.
//
// The package contains only the presentation. It does not contain operations, requests to services or flags.
package view

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams holds the standard streams of the process and their properties.
type Streams struct {
	In     io.Reader
	Out    io.Writer // results
	Err    io.Writer // progress, warnings, errors
	InTTY  bool
	OutTTY bool
	ErrTTY bool
	Dumb   bool // the terminal cannot erase output
	Width  int  // columns of the terminal; 0 without a terminal
}

// System returns the standard streams of this process.
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

// Color reports whether to color a stream. The setting of the CLI ("true" or "false") takes precedence, then
// NO_COLOR. Otherwise a stream is colored if it is a terminal and TERM is not "dumb".
func Color(setting string, tty bool, getenv func(string) string) bool {
	switch setting {
	case "true":
		return true
	case "false":
		return false
	}
	return tty && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
