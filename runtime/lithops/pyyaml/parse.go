// Package pyyaml reads YAML and JSON as Lithops does, which gives them to PyYAML's safe_load and to Python's json.loads:
// what these refuse is refused, and a value has the type that they see.
//
// What may go in: how texts become values. What may not: what the values mean to Lithops.
package pyyaml

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"fn-runtime/runtime/document"
	"fn-runtime/runtime/text"
)

// The bounds of a configuration. A real one has some hundred values, four levels and 4 KB.
const (
	MaxSize  = 64 << 10 // bytes
	maxDepth = 32
	maxNodes = 10_000 // aliases expanded: a YAML bomb stops here
)

// newError is what is wrong with a configuration in a line; 0 means that the line is not known.
func newError(line int, what string) error { return &document.Error{Line: line, Reason: what} }

// Parse reads a text as the client does, which opens the file as UTF-8 text and gives it to PyYAML's
// safe_load: what PyYAML refuses is refused.
func Parse(data []byte) (*Node, error) {
	if len(data) > MaxSize {
		return nil, newError(0, fmt.Sprintf("it is larger than %d bytes", MaxSize))
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return nil, errorAtOffset(data, i, fmt.Sprintf("the byte 0x%02x is not valid UTF-8", data[i]))
		}
		if !printable(r) {
			return nil, errorAtOffset(data, i, fmt.Sprintf("the character U+%04X is not allowed in YAML", r))
		}
		i += size
	}
	text := lineBreaks.Replace(string(data))
	if strings.HasPrefix(text, "\ufeff\ufeff") { // the first is a mark, and the parser takes a second one for a mark, too
		return nil, newError(1, "it starts with two byte order marks")
	}
	root, err := Nodes(data)
	if root == nil || err != nil {
		return nil, err
	}
	r := yamlReader{text: strings.TrimPrefix(text, "\ufeff"), anchors: map[string]bool{}, done: map[*yaml.Node]*Node{}}
	return r.read(root, 0)
}

// Nodes returns what the parser makes of a text that Parse reads, with places and comments; nil when it holds nothing.
func Nodes(data []byte) (*yaml.Node, error) {
	text := lineBreaks.Replace(string(data))
	root, err := document.Parse(versionLine12.ReplaceAllString(text, "${1}%YAML 1.1"))
	if strings.Contains(text, "\t") {
		root, err = checkTabs(text, root, err)
	}
	return root, err
}

// versionLine12 is a directive that PyYAML takes as it takes that of version 1.1.
var versionLine12 = text.NewPattern(`\A(\x{feff}?(?:[ ]*(?:#.*)?\n)*)%YAML 1\.[0-9]+`)

// lineBreaks makes the breaks of other systems plain ones, as Python does when it opens a text.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func errorAtOffset(data []byte, at int, what string) error {
	before := strings.Split(lineBreaks.Replace(string(data[:at])), "\n")
	last := before[len(before)-1]
	return &document.Error{Line: len(before), Column: utf8.RuneCountInString(last) + 1, Reason: what}
}

// printable reports whether PyYAML's reader takes a character (yaml/reader.py: NON_PRINTABLE).
func printable(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= '~' || r == 0x85 || r >= 0xA0 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}

const tabRefused = "a tab is used where YAML allows only spaces"

// checkTabs refuses tabs outside of quotes, comments and block scalars, where PyYAML takes none and the parser does. The
// test is to put a letter into the place of each: what they separated before is no longer separate then. root and err are
// what the parser says of the text as it is.
func checkTabs(text string, root *yaml.Node, err error) (*yaml.Node, error) {
	letter := '\uE000'
	for strings.ContainsRune(text, letter) {
		letter++
	}
	marked, markedErr := document.Parse(strings.ReplaceAll(text, "\t", string(letter)))
	switch {
	case markedErr != nil && err != nil:
		return nil, err // something else is wrong
	case markedErr != nil:
		return nil, errorAtOffset([]byte(text), strings.IndexByte(text, '\t'), tabRefused)
	}
	if refused := findTab(marked, letter); refused != nil {
		return nil, refused
	}
	if err != nil && restoreTabs(marked, letter) { // the parser refuses a block scalar that begins with a tab, which PyYAML takes
		return marked, nil
	}
	return root, err
}

// restoreTabs puts the tabs back. It reports whether that is what the text says: folding would go by the tabs.
func restoreTabs(n *yaml.Node, letter rune) bool {
	if n.Style&yaml.FoldedStyle != 0 && strings.ContainsRune(n.Value, letter) {
		return false
	}
	n.Value = strings.ReplaceAll(n.Value, string(letter), "\t")
	for _, c := range n.Content {
		if !restoreTabs(c, letter) {
			return false
		}
	}
	return true
}

// findTab finds the letter outside of quotes and block scalars.
func findTab(n *yaml.Node, letter rune) error {
	if n == nil {
		return nil
	}
	const styleAllowsTabs = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	for _, text := range []string{n.Value, n.Tag, n.Anchor} {
		if i := strings.IndexRune(text, letter); i >= 0 && (text != n.Value || n.Style&styleAllowsTabs == 0) {
			return &document.Error{Line: n.Line, Column: n.Column + utf8.RuneCountInString(text[:i]), Reason: tabRefused}
		}
	}
	for _, c := range n.Content {
		if err := findTab(c, letter); err != nil {
			return err
		}
	}
	return nil
}
