package pyyaml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"fn-runtime/runtime/document"
	"fn-runtime/runtime/text"
)

// yamlReader converts parsed YAML to nodes by the rules of PyYAML's SafeConstructor.
type yamlReader struct {
	text    string   // without the byte order mark, which does not count as a column
	lines   []string // the rest of the text from the start of each line
	anchors map[string]bool
	done    map[*yaml.Node]*Node // values that an alias may refer to
	count   int
}

// read converts a parsed value and checks the limits.
func (r *yamlReader) read(n *yaml.Node, depth int) (*Node, error) {
	if r.count++; r.count > maxNodes {
		return nil, newError(n.Line, fmt.Sprintf("it contains more than %d values", maxNodes))
	}
	if depth > maxDepth {
		return nil, newError(n.Line, fmt.Sprintf("it is nested more than %d levels deep", maxDepth))
	}
	if n.Kind == yaml.AliasNode {
		v := r.done[n.Alias]
		if v == nil {
			return nil, newError(n.Line, "it contains an alias that refers to itself")
		}
		if r.count += countValues(v, maxNodes); r.count > maxNodes {
			return nil, newError(n.Line, fmt.Sprintf("it contains more than %d values", maxNodes))
		}
		return v, nil
	}
	if n.Anchor != "" {
		if r.anchors[n.Anchor] {
			return nil, newError(n.Line, "it defines an anchor twice")
		}
		r.anchors[n.Anchor] = true
	}
	v, err := r.value(n, depth)
	if err != nil {
		return nil, err
	}
	r.done[n] = v
	return v, nil
}

// value converts any parsed value except an alias.
func (r *yamlReader) value(n *yaml.Node, depth int) (v *Node, err error) {
	for _, part := range n.Content { // in brackets, PyYAML treats a trailing colon as the end of a key
		if n.Style&yaml.FlowStyle != 0 && part.Kind == yaml.ScalarNode && part.Style == 0 && strings.HasSuffix(part.Value, ":") {
			return nil, newError(part.Line, "an entry in brackets ends with a colon; quote the entry, or add a space after the colon")
		}
	}
	switch n.Kind {
	case yaml.MappingNode:
		v, err = r.mapping(n, depth)
	case yaml.SequenceNode:
		v = &Node{Kind: List, Line: n.Line}
		for _, item := range n.Content {
			child, err := r.read(item, depth+1)
			if err != nil {
				return nil, err
			}
			v.Items = append(v.Items, child)
		}
	default:
		return r.scalar(n)
	}
	if err == nil && n.Style&yaml.TaggedStyle != 0 && n.Tag != map[Kind]string{Map: "!!map", List: "!!seq"}[v.Kind] {
		return nil, unknownTag(n.Line)
	}
	return v, err
}

func unknownTag(line int) error {
	return newError(line, "it contains a tag that Lithops does not support")
}

// sourceFrom returns the text from the position of a node, including its tag and anchor.
func (r *yamlReader) sourceFrom(n *yaml.Node) string {
	if r.lines == nil {
		for rest := r.text; rest != ""; {
			r.lines = append(r.lines, rest)
			i := strings.IndexAny(rest, "\n\u0085\u2028\u2029")
			if i < 0 {
				break
			}
			_, size := utf8.DecodeRuneInString(rest[i:])
			rest = rest[i+size:]
		}
	}
	if n.Line > len(r.lines) {
		return ""
	}
	rest := r.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	}
	return rest
}

var (
	commentWithoutSpace = text.NewPattern(`^[^\n|>]*[|>][-+0-9]*#`)
	quoteEscaped        = text.NewPattern(`^[^"]*"(?:[^"\\]|\\[^'])*?\\'`)
	emptyTag            = text.NewPattern(`^(?:&\S+\s+)?!\s`)
)

// scalar converts a scalar. The kind of a scalar without quotes and tag depends on its text. scalar returns an error
// for syntax that PyYAML and the parser read differently: a comment directly after | or >, an escaped apostrophe, and a
// tag without a name.
func (r *yamlReader) scalar(n *yaml.Node) (*Node, error) {
	v := &Node{Kind: Text, Line: n.Line, Text: n.Value}
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		tagged := map[string]Kind{"!!str": Text, "!!int": Int, "!!float": Float, "!!bool": Bool, "!!null": Null,
			"!!timestamp": Other, "!!binary": Other}
		k, known := tagged[n.Tag]
		if !known {
			return nil, unknownTag(n.Line)
		}
		v.Kind = k
		if n.Tag == "!!binary" {
			if _, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), "")); err != nil {
				return nil, invalidScalar(n)
			}
			return v, nil
		}
	case n.Style == 0:
		v.Kind = KindOf(n.Value)
	case emptyTag.MatchString(r.sourceFrom(n)): // PyYAML reads "! '12'" as a number
		return nil, newError(n.Line, "it contains a ! without a tag name before a quoted string; remove the !")
	case n.Style&yaml.DoubleQuotedStyle != 0 && quoteEscaped.MatchString(r.sourceFrom(n)):
		return nil, newError(n.Line, `it contains \', which is not a valid escape sequence`)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 && commentWithoutSpace.MatchString(r.sourceFrom(n)):
		return nil, newError(n.Line, "a comment directly follows | or >; add a space before the comment")
	}
	if !constructible(v) {
		return nil, invalidScalar(n)
	}
	return v, nil
}

func invalidScalar(n *yaml.Node) error {
	return &document.Error{Line: n.Line, Column: n.Column, Reason: "it contains a value that looks like a number or a time but is not valid; quote the value"}
}

var (
	pythonDate = text.NewPattern(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+]([0-9]{1,2})(?::([0-9]{2}))?))?)?$`)
	pythonTerm = text.NewPattern(`^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$`)
)

// constructible reports whether PyYAML can convert a scalar to the kind that its text or tag implies.
func constructible(v *Node) bool {
	switch v.Kind {
	case Int:
		_, err := pythonInt(v.Text)
		return err == nil || errors.Is(err, strconv.ErrRange)
	case Float:
		digits := strings.ReplaceAll(v.Text, "_", "")
		return yamlFloat.MatchString(v.Text) || pythonTerm.MatchString(digits)
	case Bool:
		return yamlBoolWord.MatchString(v.Text)
	case Other:
		m := pythonDate.FindStringSubmatch(v.Text)
		if m == nil {
			return false // "=" and "<<" that are not keys
		}
		number := func(i int) int { return int(parseDigits(m[i])) }
		t := time.Date(number(1), time.Month(number(2)), number(3), number(4), number(5), number(6), 0, time.UTC)
		return number(1) > 0 && number(7)*60+number(8) < 24*60 && t.Year() == number(1) && int(t.Month()) == number(2) && t.Day() == number(3) &&
			t.Hour() == number(4) && t.Minute() == number(5) && t.Second() == number(6)
	}
	return true
}

func parseDigits(s string) (n int64) {
	for _, c := range s {
		n = n*10 + int64(c-'0')
	}
	return n
}

// countValues returns the number of values in n, including n. It stops when the number exceeds limit.
func countValues(n *Node, limit int) int {
	count := 1
	for _, v := range n.Items {
		if count > limit {
			return count
		}
		count += countValues(v, limit-count)
	}
	for _, key := range n.Keys {
		if count > limit {
			return count
		}
		count += countValues(n.Values[key], limit-count)
	}
	return count
}

// mapping converts a mapping. Its own keys take precedence over keys that are merged with "<<". If a key occurs twice,
// the last one takes precedence.
func (r *yamlReader) mapping(n *yaml.Node, depth int) (*Node, error) {
	var ambiguous []string
	own := &Node{Kind: Map, Line: n.Line, Values: make(map[string]*Node, len(n.Content)/2)}
	merged := &Node{Kind: Map, Line: n.Line, Values: map[string]*Node{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		merge := k.Kind == yaml.ScalarNode && (k.Style == 0 && k.Value == "<<" || k.Tag == "!!merge" && k.Style&yaml.TaggedStyle != 0)
		key, err := "", error(nil)
		if !merge {
			if key, err = r.key(k, depth); err != nil {
				return nil, err
			}
		}
		v, err := r.read(n.Content[i+1], depth+1)
		switch {
		case err != nil:
			return nil, err
		case merge:
			keys, err := r.merge(merged, v, k.Line)
			if err != nil {
				return nil, err
			}
			ambiguous = append(ambiguous, keys...)
			continue
		case v.Kind != Text || v.Line == 0:
			c := *v // a section starts at its key
			c.Line = k.Line
			v = &c
		}
		own.set(key, v)
	}
	if len(merged.Keys) == 0 {
		return own, nil
	}
	for _, key := range ambiguous {
		if own.Values[key] == nil {
			return nil, newError(n.Line, fmt.Sprintf("two mappings that are merged with '<<' contain the key %q, and releases of PyYAML use different ones of the values; set the key next to '<<'", key))
		}
	}
	for _, key := range own.Keys {
		merged.set(key, own.Values[key])
	}
	return merged, nil
}

// merge adds a mapping, or a list of mappings, to the previously merged keys. It returns the keys that have different
// values in two mappings, because releases of PyYAML use different values: up to 6.0.3 that of the first mapping in a
// list; in later releases that of the last one, for names of more than one letter.
func (r *yamlReader) merge(into, from *Node, line int) (ambiguous []string, err error) {
	sources := []*Node{from}
	if from.Kind == List {
		sources = from.Items
	}
	for _, source := range sources {
		if source.Kind != Map {
			return nil, newError(line, "the value of '<<' is neither a mapping nor a list of mappings")
		}
		if r.count += len(source.Keys); r.count > maxNodes {
			return nil, newError(line, fmt.Sprintf("it contains more than %d values", maxNodes))
		}
		for _, key := range source.Keys {
			v := source.Values[key]
			if old := into.Values[key]; old != nil && old != v && (old.Kind != v.Kind || old.Text != v.Text || v.Kind == Map || v.Kind == List) {
				ambiguous = append(ambiguous, key)
			}
			into.set(key, v)
		}
	}
	return ambiguous, nil
}

// key returns the name of a key. Lithops does not use keys that are not strings. They get a name that no string has.
func (r *yamlReader) key(n *yaml.Node, depth int) (string, error) {
	if n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == "=" {
		return "=", nil
	}
	v, err := r.read(n, depth+1)
	switch {
	case err != nil:
		return "", err
	case v.Kind == Map || v.Kind == List:
		return "", newError(n.Line, "it contains a key that is a list or a mapping")
	case v.Kind != Text:
		return fmt.Sprintf("\x00%d:%s", v.Kind, v.Text), nil
	}
	return v.Text, nil
}
