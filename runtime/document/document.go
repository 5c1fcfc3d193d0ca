// Package document parses YAML texts that hold one document, into nodes with their places.
//
// What may go in: what the parser says, in words and with the right line. What may not: what a document means.
package document

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"fn-runtime/runtime/text"
)

// Error is why a text is no document. It holds no value of the text.
type Error struct {
	Line, Column int // from 1
	Reason       string
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

// Parse returns the root of the only document in a text, with the comment above it; nil when there is none. The error is an *Error. Depth and size of
// what is parsed are bounded by the parser; aliases are not expanded.
func Parse(text string) (*yaml.Node, error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	var doc, another yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, malformed(err, text)
	}
	switch err := d.Decode(&another); {
	case err == nil:
		second := another.Content[0]
		return nil, &Error{second.Line, second.Column, "it holds more than one document"}
	case !errors.Is(err, io.EOF):
		return nil, malformed(err, text)
	}
	root := doc.Content[0]
	root.HeadComment = strings.TrimSpace(doc.HeadComment + "\n\n" + root.HeadComment)
	return root, nil
}

// parserError is what the parser says: its errors have no other form.
var parserError = text.NewPattern(`^yaml: (?:line (\d+): )?(.*)$`)

func malformed(err error, text string) error {
	m := parserError.FindStringSubmatch(err.Error())
	if m == nil {
		return &Error{1, 1, "it is not YAML"}
	}
	line, _ := strconv.Atoi(m[1])
	reason := m[2]
	switch {
	case strings.HasPrefix(reason, "unknown anchor"): // it quotes the name, which may be a secret that was not quoted
		reason = "it holds an alias without an anchor; quote a value that begins with *"
	case line > 0 && strings.HasPrefix(reason, "did not find expected"): // the grammar counts lines from 0, the scanner from 1
		line++
	}
	lines := strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1 // the end of the text counts as a line of its own
	return &Error{min(max(line, 1), lines), 1, reason}
}
