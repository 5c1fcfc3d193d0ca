package lithops

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"fn-runtime/runtime/nesting"
)

// The bounds of a configuration. A real one has some hundred values, four levels and 4 KB.
const (
	maxConfig = 64 << 10 // bytes
	maxTokens = 10_000   // the parser takes time in the square of them
	maxDepth  = 32
	maxNodes  = 10_000 // aliases expanded: a YAML bomb stops here
)

// placedError is what is wrong with a configuration, and where. Line 0 means: not known.
type placedError struct {
	line, column int
	text         string // never holds a value of the configuration
}

func (e *placedError) Error() string { return e.text }

func tooMuch(line int, what string) error { return &placedError{line: line, text: what} }

// parseYAML reads the first document as PyYAML's safe_load would.
func parseYAML(data []byte) (*node, error) {
	if len(data) > maxConfig {
		return nil, tooMuch(0, fmt.Sprintf("it is larger than %d bytes", maxConfig))
	}
	tokens := lexer.Tokenize(lineBreaks.Replace(string(data)))
	if err := checkSize(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var at yaml.Error // its Error() would show source lines, and they may hold secrets
		if errors.As(err, &at) {
			e := &placedError{text: at.GetMessage()}
			if tk := at.GetToken(); tk != nil && tk.Position != nil {
				e.line, e.column = tk.Position.Line, tk.Position.Column
			}
			return nil, e
		}
		return nil, &placedError{text: "it is not YAML"}
	}
	r := yamlReader{anchors: map[string]*node{}}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if r.seen {
			return nil, tooMuch(doc.Body.GetToken().Position.Line, "it holds more than one document")
		}
		r.seen = true
		if r.root, err = r.read(doc.Body, 0); err != nil {
			return nil, err
		}
	}
	return r.root, nil
}

// checkSize refuses what would keep the parser busy or send it too deep.
func checkSize(tokens token.Tokens) error {
	if len(tokens) > maxTokens {
		return tooMuch(tokens[maxTokens].Position.Line, fmt.Sprintf("it holds more than %d words and signs", maxTokens))
	}
	if depth, line := nesting.Deepest(tokens); depth > maxDepth {
		return tooMuch(line, fmt.Sprintf("it is nested more than %d levels deep", maxDepth))
	}
	return nil
}

// lineBreaks makes the breaks of other systems plain ones; YAML takes all three.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

type yamlReader struct {
	anchors map[string]*node
	root    *node
	seen    bool
	count   int
}

func (r *yamlReader) read(n ast.Node, depth int) (*node, error) {
	if n == nil {
		return &node{kind: kindNull}, nil
	}
	line := 0
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		line = tk.Position.Line
	}
	if r.count++; r.count > maxNodes {
		return nil, tooMuch(line, fmt.Sprintf("it holds more than %d values", maxNodes))
	}
	if depth > maxDepth {
		return nil, tooMuch(line, fmt.Sprintf("it is nested more than %d levels deep", maxDepth))
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		v, err := r.read(n.Value, depth+1)
		if err == nil && n.Name != nil {
			r.anchors[n.Name.GetToken().Value] = v
		}
		return v, err
	case *ast.AliasNode:
		return r.alias(n, line)
	case *ast.TagNode:
		return r.tagged(n, line, depth)
	case *ast.LiteralNode:
		return &node{kind: kindText, line: line, text: n.Value.Value}, nil
	case *ast.StringNode:
		if n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType {
			return &node{kind: kindText, line: line, text: n.Value}, nil
		}
		return &node{kind: kindOfPlain(n.Value), line: line, text: n.Value}, nil
	case *ast.MappingNode:
		return r.mapping(n.Values, line, depth)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{n}, line, depth)
	case *ast.SequenceNode:
		list := &node{kind: kindList, line: line}
		for _, item := range n.Values {
			v, err := r.read(item, depth+1)
			if err != nil {
				return nil, err
			}
			list.items = append(list.items, v)
		}
		return list, nil
	case ast.ScalarNode:
		text := n.GetToken().Value
		return &node{kind: kindOfPlain(text), line: line, text: text}, nil
	}
	return nil, tooMuch(line, "it holds something that is neither a value, a list nor a mapping")
}

func (r *yamlReader) alias(n *ast.AliasNode, line int) (*node, error) {
	if n.Value == nil {
		return nil, tooMuch(line, "it holds an alias without a name")
	}
	v := r.anchors[n.Value.GetToken().Value]
	if v == nil {
		return nil, tooMuch(line, "it holds an alias without an anchor")
	}
	if r.count += size(v, maxNodes); r.count > maxNodes {
		return nil, tooMuch(line, fmt.Sprintf("it holds more than %d values", maxNodes))
	}
	return v, nil
}

// size counts the values below n, and stops at limit.
func size(n *node, limit int) int {
	count := 1
	for _, v := range n.items {
		if count > limit {
			return count
		}
		count += size(v, limit-count)
	}
	for _, key := range n.keys {
		if count > limit {
			return count
		}
		count += size(n.values[key], limit-count)
	}
	return count
}

func (r *yamlReader) tagged(n *ast.TagNode, line, depth int) (*node, error) {
	v, err := r.read(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	scalar := v.kind != kindMap && v.kind != kindList
	switch tag := n.Start.Value; {
	case tag == "!!str" && scalar:
		return &node{kind: kindText, line: line, text: v.text}, nil
	case tag == "!!int" && scalar:
		return &node{kind: kindInt, line: line, text: v.text}, nil
	case tag == "!!map" && v.kind == kindMap, tag == "!!seq" && v.kind == kindList,
		tag == "!!bool" && v.kind == kindBool, tag == "!!float" && v.kind == kindFloat, tag == "!!null" && v.kind == kindNull:
		return v, nil
	}
	return nil, tooMuch(line, "it holds a tag that Lithops does not read")
}

func (r *yamlReader) mapping(pairs []*ast.MappingValueNode, line, depth int) (*node, error) {
	m := &node{kind: kindMap, line: line, values: make(map[string]*node, len(pairs))}
	var merged []*node
	for _, p := range pairs {
		if p.Key == nil {
			return nil, tooMuch(line, "it holds a value without a key")
		}
		v, err := r.read(p.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if p.Key.IsMergeKey() {
			if v.kind == kindList {
				merged = append(merged, v.items...)
			} else {
				merged = append(merged, v)
			}
			continue
		}
		tk := p.Key.GetToken()
		if at := tk.Position.Line; v.kind != kindText || v.line == 0 {
			c := *v // a section begins where its key stands
			c.line = at
			v = &c
		}
		key := tk.Value
		if s, ok := p.Key.(*ast.StringNode); ok {
			key = s.Value
		}
		m.set(key, v) // of a key that stands twice the last counts, as in PyYAML
	}
	for _, from := range merged {
		for _, key := range from.keys {
			if _, there := m.values[key]; !there {
				m.set(key, from.values[key])
			}
		}
	}
	return m, nil
}
