// Package document parses YAML texts with a single document into nodes with their positions.
//
// It reports parser errors with a reason and the correct line. It does not interpret documents.
package document

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"fn-runtime/runtime/text"
)

// Error describes why a text is not a valid document. It contains no values of the text.
type Error struct {
	Line, Column int // from 1
	Reason       string
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

// Parse returns the root of the only document in a text, including the comment above it. It returns nil if there is no
// document. The error is an *Error. The parser bounds depth and size; aliases are not expanded.
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
		return nil, &Error{second.Line, second.Column, "it contains more than one document"}
	case !errors.Is(err, io.EOF):
		return nil, malformed(err, text)
	}
	root := doc.Content[0]
	root.HeadComment = strings.TrimSpace(doc.HeadComment + "\n\n" + root.HeadComment)
	return root, nil
}

// parserError matches the errors of the parser, which have no other structure.
var parserError = text.NewPattern(`^yaml: (?:line (\d+): )?(.*)$`)

func malformed(err error, text string) error {
	m := parserError.FindStringSubmatch(err.Error())
	if m == nil {
		return &Error{1, 1, "it is not valid YAML"}
	}
	line, _ := strconv.Atoi(m[1])
	reason := m[2]
	switch {
	case strings.HasPrefix(reason, "unknown anchor"): // the reason quotes the name, which may be an unquoted secret
		reason = "it contains an alias without an anchor; quote a value that begins with *"
	case line > 0 && strings.HasPrefix(reason, "did not find expected"): // the grammar counts lines from 0, the scanner from 1
		line++
	}
	lines := strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1 // the parser counts the end of the text as a line
	return &Error{min(max(line, 1), lines), 1, reason}
}
