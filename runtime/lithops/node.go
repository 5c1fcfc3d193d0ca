package lithops

import (
	"slices"

	"fn-runtime/runtime/text"
)

// kind is a type of YAML as PyYAML's safe_load sees it.
type kind int

const (
	kindNull kind = iota
	kindText
	kindInt
	kindFloat
	kindBool
	kindOther // a time, or what safe_load refuses: of use for no key
	kindMap
	kindList
)

// node is one value of a configuration with its place.
type node struct {
	kind   kind
	line   int    // from 1; 0 for JSON from the environment
	text   string // of scalars: the text itself, or the literal
	keys   []string
	values map[string]*node
	items  []*node
}

// get gives the value of a key in a mapping; nil when there is none or it is null.
func (n *node) get(key string) *node {
	if n == nil || n.kind != kindMap {
		return nil
	}
	v := n.values[key]
	if v == nil || v.kind == kindNull {
		return nil
	}
	return v
}

// holds reports whether a value, or one in it, is the text.
func (n *node) holds(text string) bool {
	if n == nil {
		return false
	}
	if n.kind == kindText && n.text == text {
		return true
	}
	for _, v := range n.values {
		if v.holds(text) {
			return true
		}
	}
	return slices.ContainsFunc(n.items, func(v *node) bool { return v.holds(text) })
}

// scalar gives the text of a value that has one; "" for a list, a mapping, and nothing.
func (n *node) scalar() string {
	if n == nil || n.kind == kindMap || n.kind == kindList {
		return ""
	}
	return n.text
}

func (n *node) set(key string, v *node) {
	if _, there := n.values[key]; !there {
		n.keys = append(n.keys, key)
	}
	n.values[key] = v
}

// empty is Python's "not data".
func (n *node) empty() bool {
	switch {
	case n == nil || n.kind == kindNull:
		return true
	case n.kind == kindMap:
		return len(n.keys) == 0
	case n.kind == kindList:
		return len(n.items) == 0
	case n.kind == kindText:
		return n.text == ""
	}
	return false
}

// The implicit types of YAML 1.1 as PyYAML resolves plain scalars (yaml/resolver.py). They differ from YAML 1.2: yes
// is a truth value, 012 is octal, 1e5 is a text.
var (
	yamlNull     = text.NewPattern(`^(?:~|null|Null|NULL|)$`)
	yamlBool     = text.NewPattern(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	yamlBoolWord = text.NewPattern(`(?i)^(?:yes|no|true|false|on|off)$`)
	yamlTrue     = text.NewPattern(`(?i)^(?:yes|true|on)$`)
	yamlInt      = text.NewPattern(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	yamlFloat    = text.NewPattern(`^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	yamlOther    = text.NewPattern(`^(?:=|<<)$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?$`)
)

func kindOfPlain(text string) kind {
	switch {
	case yamlNull.MatchString(text):
		return kindNull
	case yamlBool.MatchString(text):
		return kindBool
	case yamlInt.MatchString(text):
		return kindInt
	case yamlFloat.MatchString(text):
		return kindFloat
	case yamlOther.MatchString(text):
		return kindOther
	}
	return kindText
}
