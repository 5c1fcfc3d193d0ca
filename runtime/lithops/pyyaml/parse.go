// Package pyyaml reads YAML and JSON like Lithops, which uses PyYAML's safe_load and Python's json.loads. It returns an
// error for texts that these functions reject, and values have the types that these functions return.
//
// It does not interpret the values.
package pyyaml

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"fn-runtime/runtime/document"
	"fn-runtime/runtime/text"
)

// The limits of a configuration. A typical configuration has several hundred values, four levels and 4 KB.
const (
	MaxSize  = 64 << 10 // bytes
	maxDepth = 32
	maxNodes = 10_000 // with aliases expanded, against YAML bombs
)

// newError returns an error for a line of a configuration; 0 means that the line is unknown.
func newError(line int, reason string) error { return &document.Error{Line: line, Reason: reason} }

// Parse parses a text like the client, which opens the file as UTF-8 text and passes it to PyYAML's safe_load. It
// returns an error for texts that PyYAML rejects. It returns nil if the text contains no value.
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
	if strings.HasPrefix(text, "\ufeff\ufeff") { // only the first one is a byte order mark, but the parser skips both
		return nil, newError(1, "it starts with two byte order marks")
	}
	root, err := Nodes(data)
	if root == nil || err != nil {
		return nil, err
	}
	r := yamlReader{text: strings.TrimPrefix(text, "\ufeff"), anchors: map[string]bool{}, done: map[*yaml.Node]*Node{}}
	return r.read(root, 0)
}

// Nodes returns the syntax tree of a text that Parse accepts, with positions and comments. It returns nil if the text
// contains no value.
func Nodes(data []byte) (*yaml.Node, error) {
	text := lineBreaks.Replace(string(data))
	root, err := document.Parse(versionLine12.ReplaceAllString(text, "${1}%YAML 1.1"))
	if strings.Contains(text, "\t") {
		root, err = checkTabs(text, root, err)
	}
	return root, err
}

// versionLine12 matches the directive of another YAML 1 version, which PyYAML treats like %YAML 1.1.
var versionLine12 = text.NewPattern(`\A(\x{feff}?(?:[ ]*(?:#.*)?\n)*)%YAML 1\.[0-9]+`)

// lineBreaks replaces the line breaks of other systems with "\n", like Python when it opens a text file.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// errorAtOffset returns an error for a byte offset in a text.
func errorAtOffset(data []byte, offset int, reason string) error {
	before := strings.Split(lineBreaks.Replace(string(data[:offset])), "\n")
	last := before[len(before)-1]
	return &document.Error{Line: len(before), Column: utf8.RuneCountInString(last) + 1, Reason: reason}
}

// printable reports whether PyYAML's reader accepts a character (yaml/reader.py: NON_PRINTABLE).
func printable(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= '~' || r == 0x85 || r >= 0xA0 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}

const tabReason = "a tab is used where YAML allows only spaces"

// checkTabs rejects tabs outside of quotes, comments and block scalars. PyYAML does not accept them there, but the
// parser does. To detect them, checkTabs replaces each tab with a letter: tokens that a tab separated are then no
// longer separate. root and err are the result of parsing the original text.
func checkTabs(text string, root *yaml.Node, err error) (*yaml.Node, error) {
	letter := '\uE000'
	for strings.ContainsRune(text, letter) {
		letter++
	}
	marked, markedErr := document.Parse(strings.ReplaceAll(text, "\t", string(letter)))
	switch {
	case markedErr != nil && err != nil:
		return nil, err // there is another error
	case markedErr != nil:
		return nil, errorAtOffset([]byte(text), strings.IndexByte(text, '\t'), tabReason)
	}
	if tabErr := findTab(marked, letter); tabErr != nil {
		return nil, tabErr
	}
	if err != nil && restoreTabs(marked, letter) { // the parser rejects a block scalar that starts with a tab, but PyYAML accepts it
		return marked, nil
	}
	return root, err
}

// restoreTabs replaces the letter with tabs again. It returns false if a folded scalar contains the letter, because
// folding depends on tabs, so the value may be wrong.
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

// findTab returns an error if the letter occurs outside of quotes and block scalars.
func findTab(n *yaml.Node, letter rune) error {
	if n == nil {
		return nil
	}
	const styleAllowsTabs = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	for _, text := range []string{n.Value, n.Tag, n.Anchor} {
		if i := strings.IndexRune(text, letter); i >= 0 && (text != n.Value || n.Style&styleAllowsTabs == 0) {
			return &document.Error{Line: n.Line, Column: n.Column + utf8.RuneCountInString(text[:i]), Reason: tabReason}
		}
	}
	for _, c := range n.Content {
		if err := findTab(c, letter); err != nil {
			return err
		}
	}
	return nil
}
