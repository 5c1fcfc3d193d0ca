package manifest

import (
	"errors"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/document"
	"fn-runtime/runtime/text"
)

// The limits of a file.
const (
	maxSize   = 64 << 10 // bytes
	maxValues = 10_000   // merged values count each time
	maxFaults = 10       // number of reported errors
)

// reader reads the parsed file and collects errors.
type reader struct {
	file, dir string
	getenv    func(string) string
	values    int
	faults    []locatedError
}

type locatedError struct {
	at  Position
	err error
}

func (r *reader) report(at Position, what i18n.Message) {
	r.faults = append(r.faults, locatedError{at, at.Fault(what)})
}

func (r *reader) start() Position { return Position{File: r.file, Line: 1, Column: 1} }

func (r *reader) at(n *yaml.Node) Position {
	if n == nil || n.Line == 0 {
		return r.start()
	}
	return Position{File: r.file, Line: n.Line, Column: n.Column}
}

// parse returns the root of the only document with environment variables replaced. It returns nil after an error.
func (r *reader) parse(data []byte) *yaml.Node {
	if len(data) > maxSize {
		r.report(r.start(), i18n.M("The file is larger than {{.Size}} bytes.", "Size", maxSize))
		return nil
	}
	root, err := document.Parse(string(data))
	var at *document.Error
	switch {
	case errors.As(err, &at):
		r.report(Position{File: r.file, Line: at.Line, Column: at.Column}, i18n.M("This is not a valid 'apply' file: {{.What}}.", "What", at.Reason))
		return nil
	case root == nil || tagOf(root) == "!!null":
		r.report(r.start(), i18n.M("The file declares nothing. It must contain the key 'runtimes'."))
		return nil
	}
	r.substitute(root)
	return root
}

// member is a key of a mapping with its value.
type member struct {
	at    Position // of the key
	value *yaml.Node
}

// mapping reads a mapping with known keys. It reports unknown keys with the nearest known key.
func (r *reader) mapping(n *yaml.Node, known ...string) (map[string]member, bool) {
	members, ok := r.members(n, 0)
	if !ok {
		return nil, false
	}
	for key, m := range members {
		if slices.Contains(known, key) {
			continue
		}
		if near := text.Nearest(key, known); near != "" {
			r.report(m.at, i18n.M("Unknown key '{{.Key}}'. Did you mean '{{.Near}}'?", "Key", key, "Near", near))
			continue
		}
		r.report(m.at, i18n.M("Unknown key '{{.Key}}'. Supported keys: {{.Known}}.", "Key", key, "Known", strings.Join(known, ", ")))
	}
	return members, true
}

// maxMerges is the maximum nesting depth of merged mappings ("<<").
const maxMerges = 8

// members returns the keys of a mapping. They override keys that "<<" merges into it.
func (r *reader) members(n *yaml.Node, merges int) (map[string]member, bool) {
	if n = resolveAlias(n); n == nil || n.Kind != yaml.MappingNode {
		r.report(r.at(n), i18n.M("A mapping of keys to values is expected here."))
		return nil, false
	}
	if r.values += len(n.Content); r.values > maxValues || merges > maxMerges {
		r.report(r.at(n), i18n.M("This mapping merges too many values."))
		return nil, false
	}
	own, merged := map[string]member{}, map[string]member{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch tag := key.ShortTag(); {
		case tag == "!!merge":
			sources := r.listOrOne(value)
			for _, source := range slices.Backward(sources) { // the first source takes precedence
				members, ok := r.members(source, merges+1)
				if !ok {
					return nil, false
				}
				maps.Copy(merged, members)
			}
			continue
		case key.Kind != yaml.ScalarNode || tag != "!!str":
			r.report(r.at(key), i18n.M("A key must be a string."))
			continue
		}
		if _, twice := own[key.Value]; twice {
			r.report(r.at(key), i18n.M("The key '{{.Key}}' is specified twice.", "Key", key.Value))
		}
		own[key.Value] = member{r.at(key), value}
	}
	maps.Copy(merged, own)
	return merged, true
}

// resolveAlias returns the node that an alias refers to.
func resolveAlias(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// tagOf returns the type of a scalar. It returns "" for other nodes and for scalars with an explicit tag.
func tagOf(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Style&yaml.TaggedStyle != 0 {
		return ""
	}
	return n.ShortTag()
}

// list reads a sequence.
func (r *reader) list(n *yaml.Node) ([]*yaml.Node, bool) {
	if n = resolveAlias(n); n.Kind != yaml.SequenceNode {
		r.report(r.at(n), i18n.M("A list is expected here."))
		return nil, false
	}
	return n.Content, true
}

// listOrOne reads a sequence. Any other value counts as a sequence with one element.
func (r *reader) listOrOne(n *yaml.Node) []*yaml.Node {
	if n = resolveAlias(n); n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

func (r *reader) nonEmptyString(n *yaml.Node) string {
	if n = resolveAlias(n); tagOf(n) == "!!str" && n.Value != "" {
		return n.Value
	}
	r.report(r.at(n), i18n.M("A string is expected here. Quote values that YAML reads as another type."))
	return ""
}

// scalar returns any scalar as it is written in the file, because build arguments are strings.
func (r *reader) scalar(n *yaml.Node) string {
	switch n = resolveAlias(n); tagOf(n) {
	case "!!str", "!!int", "!!float", "!!bool":
		return n.Value
	}
	return r.nonEmptyString(n)
}

// number reads an integer from 1 to math.MaxInt32.
func (r *reader) number(n *yaml.Node) int {
	if n = resolveAlias(n); tagOf(n) == "!!int" {
		if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil && v >= 1 && v <= math.MaxInt32 {
			return int(v)
		}
	}
	r.report(r.at(n), i18n.M("An integer of 1 or more is expected here."))
	return 0
}

// milliCPU reads a positive number with at most three decimals and returns it times 1000.
func (r *reader) milliCPU(n *yaml.Node) int {
	if n = resolveAlias(n); tagOf(n) == "!!int" || tagOf(n) == "!!float" {
		v, err := strconv.ParseFloat(n.Value, 64)
		if v *= 1000; err == nil && v >= 1 && v <= 1e6 && v == math.Trunc(v) {
			return int(v)
		}
	}
	r.report(r.at(n), i18n.M("Specify a number of vCPU, such as 0.125 or 2."))
	return 0
}

func (r *reader) boolean(n *yaml.Node) bool {
	if n = resolveAlias(n); tagOf(n) == "!!bool" {
		return strings.EqualFold(n.Value, "true")
	}
	r.report(r.at(n), i18n.M("Either true or false is expected here."))
	return false
}

// path reads a path. A relative path is relative to the directory of the file.
func (r *reader) path(n *yaml.Node) string {
	s := filepath.FromSlash(r.nonEmptyString(n))
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(r.dir, s)
}
