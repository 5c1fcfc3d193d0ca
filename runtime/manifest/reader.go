package manifest

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"fn-runtime/i18n"
	"fn-runtime/runtime/nesting"
	"fn-runtime/runtime/text"
)

// The bounds of a file. The parser takes time in the square of its words.
const (
	maxSize   = 64 << 10 // bytes
	maxWords  = 10_000
	maxDepth  = 32
	maxFaults = 10 // that are reported
)

// reader goes through the parsed file and collects what is wrong.
type reader struct {
	file, dir string
	faults    []placed
}

type placed struct {
	at  Place
	err error
}

func (r *reader) wrong(at Place, what i18n.Message) {
	r.faults = append(r.faults, placed{at, at.Fault(what)})
}

func (r *reader) at(t *token.Token) Place {
	p := Place{File: r.file, Line: 1, Column: 1}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// parse gives the root of the only document; nil after a fault.
func (r *reader) parse(data []byte) ast.Node {
	start := Place{File: r.file, Line: 1, Column: 1}
	if len(data) > maxSize {
		r.wrong(start, i18n.M("The file is larger than {{.Size}} bytes.", "Size", maxSize))
		return nil
	}
	tokens := lexer.Tokenize(strings.ReplaceAll(string(data), "\r\n", "\n"))
	if depth, _ := nesting.Deepest(tokens); len(tokens) > maxWords || depth > maxDepth {
		r.wrong(start, i18n.M("The file is too large or too deeply nested."))
		return nil
	}
	parsed, err := parser.Parse(tokens, 0)
	if err != nil {
		at, what := start, i18n.M("This is not YAML.")
		if y := (yaml.Error)(nil); errors.As(err, &y) {
			at, what = r.at(y.GetToken()), i18n.M("This is not YAML: {{.What}}.", "What", y.GetMessage())
		}
		r.wrong(at, what)
		return nil
	}
	var root ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			r.wrong(r.at(doc.Body.GetToken()), i18n.M("A file holds one document."))
			return nil
		}
		root = doc.Body
	}
	if root == nil {
		r.wrong(start, i18n.M("The file declares nothing; it needs the key 'runtimes'."))
	}
	return root
}

// member is one key of a mapping with its value.
type member struct {
	at    Place // of the key
	value ast.Node
}

// mapping reads a mapping with the known keys; others are faults that name the nearest known one.
func (r *reader) mapping(n ast.Node, known ...string) (map[string]member, bool) {
	members, ok := r.members(n)
	if !ok {
		return nil, false
	}
	for key, m := range members {
		if slices.Contains(known, key) {
			continue
		}
		if near := text.Nearest(key, known); near != "" {
			r.wrong(m.at, i18n.M("Unknown key '{{.Key}}'. Did you mean '{{.Near}}'?", "Key", key, "Near", near))
			continue
		}
		r.wrong(m.at, i18n.M("Unknown key '{{.Key}}'. Known here: {{.Known}}.", "Key", key, "Known", strings.Join(known, ", ")))
	}
	return members, true
}

func (r *reader) members(n ast.Node) (map[string]member, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.wrong(r.at(tokenOf(n)), i18n.M("Keys with values are expected here."))
		return nil, false
	}
	members := map[string]member{}
	for _, v := range values {
		at := r.at(v.Key.GetToken())
		key := v.Key.GetToken().Value
		if _, isText := v.Key.(*ast.StringNode); !isText {
			r.wrong(at, i18n.M("A key is a plain word."))
			continue
		}
		if _, twice := members[key]; twice {
			r.wrong(at, i18n.M("The key '{{.Key}}' stands here twice.", "Key", key))
		}
		members[key] = member{at, v.Value}
	}
	return members, true
}

func tokenOf(n ast.Node) *token.Token {
	if n == nil {
		return nil
	}
	return n.GetToken()
}

// list reads a sequence.
func (r *reader) list(n ast.Node) ([]ast.Node, bool) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(r.at(tokenOf(n)), i18n.M("A list is expected here."))
		return nil, false
	}
	return s.Values, true
}

// listOrOne reads a sequence, or one value that stands for a sequence of one.
func (r *reader) listOrOne(n ast.Node) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	return []ast.Node{n}
}

func (r *reader) text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		if n.Value != "" {
			return n.Value
		}
	case *ast.LiteralNode:
		return n.Value.Value
	}
	r.wrong(r.at(tokenOf(n)), i18n.M("A text is expected here; quote what YAML reads as something else."))
	return ""
}

// plain reads any scalar as the text that stands in the file: build arguments are texts for Docker.
func (r *reader) plain(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	return r.text(n)
}

// number reads a whole number from 1 to what an int32 holds.
func (r *reader) number(n ast.Node) int {
	if i, ok := n.(*ast.IntegerNode); ok {
		if v, err := strconv.ParseInt(i.GetToken().Value, 10, 64); err == nil && v >= 1 && v <= math.MaxInt32 {
			return int(v)
		}
	}
	r.wrong(r.at(tokenOf(n)), i18n.M("A whole number from 1 on is expected here."))
	return 0
}

func (r *reader) truth(n ast.Node) bool {
	if b, ok := n.(*ast.BoolNode); ok {
		return b.Value
	}
	r.wrong(r.at(tokenOf(n)), i18n.M("Either true or false is expected here."))
	return false
}

// path is a path of the file: relative to the folder that the file is in.
func (r *reader) path(n ast.Node) string {
	s := filepath.FromSlash(r.text(n))
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(r.dir, s)
}
