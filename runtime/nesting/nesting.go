// Package nesting measures a YAML document before it is parsed, so that nobody can send a recursive parser too deep.
//
// What may go in: measures of tokens. What may not: what a document means.
package nesting

import "github.com/goccy/go-yaml/token"

// Deepest gives how deep brackets nest, or entries, keys, tags and anchors stand on one line, and the line where that
// is. Beyond it a parser recurses only as deep as lines are indented, which the size of the document bounds.
func Deepest(tokens token.Tokens) (depth, where int) {
	level, line, onLine := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			level++
		case token.SequenceEndType, token.MappingEndType:
			level--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			onLine++
		}
		if d := max(level, onLine); d > depth {
			depth, where = d, line
		}
	}
	return depth, where
}
