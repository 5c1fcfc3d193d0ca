package pyyaml

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"fn-runtime/runtime/text"
)

// Kind is a type of YAML as PyYAML's safe_load sees it.
type Kind int

// The types.
const (
	Null Kind = iota
	Text
	Int
	Float
	Bool
	Other // a time, or what safe_load refuses: of use for no key
	Map
	List
)

// Node is one value of a text with its place.
type Node struct {
	Kind   Kind
	Line   int    // from 1; 0 for JSON
	Text   string // of scalars: the text itself, or the literal
	Keys   []string
	Values map[string]*Node
	Items  []*Node
}

// Get returns the value of a key in a mapping; nil when there is none or it is null.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	v := n.Values[key]
	if v == nil || v.Kind == Null {
		return nil
	}
	return v
}

// Contains reports whether a value, or one in it, is the text.
func (n *Node) Contains(text string) bool {
	if n == nil {
		return false
	}
	if n.Kind == Text && n.Text == text {
		return true
	}
	for _, v := range n.Values {
		if v.Contains(text) {
			return true
		}
	}
	return slices.ContainsFunc(n.Items, func(v *Node) bool { return v.Contains(text) })
}

// Scalar returns the text of a value that has one; "" for a list, a mapping, and nothing.
func (n *Node) Scalar() string {
	if n == nil || n.Kind == Map || n.Kind == List {
		return ""
	}
	return n.Text
}

func (n *Node) set(key string, v *Node) {
	if _, there := n.Values[key]; !there {
		n.Keys = append(n.Keys, key)
	}
	n.Values[key] = v
}

// Empty reports whether the value is false to Python.
func (n *Node) Empty() bool {
	switch {
	case n == nil || n.Kind == Null:
		return true
	case n.Kind == Map:
		return len(n.Keys) == 0
	case n.Kind == List:
		return len(n.Items) == 0
	case n.Kind == Text:
		return n.Text == ""
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

// KindOf returns the type of a plain scalar.
func KindOf(text string) Kind {
	switch {
	case yamlNull.MatchString(text):
		return Null
	case yamlBool.MatchString(text):
		return Bool
	case yamlInt.MatchString(text):
		return Int
	case yamlFloat.MatchString(text):
		return Float
	case yamlOther.MatchString(text):
		return Other
	}
	return Text
}

// Int returns a whole number as YAML 1.1 writes it: with underscores, as 0b, 0x, octal with a leading 0, or to the base 60
// with colons. The error is strconv's.
func (n *Node) Int() (int64, error) { return pythonInt(n.Text) }

// True reports whether a Bool is true.
func (n *Node) True() bool { return yamlTrue.MatchString(n.Text) }

func pythonInt(text string) (int64, error) {
	digits := strings.ReplaceAll(text, "_", "")
	sign := ""
	if strings.HasPrefix(digits, "-") || strings.HasPrefix(digits, "+") {
		sign, digits = digits[:1], digits[1:]
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0b"):
		base, digits = 2, digits[2:]
	case strings.HasPrefix(digits, "0x"):
		base, digits = 16, digits[2:]
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	if base == 10 && strings.Contains(digits, ":") {
		return sexagesimal(sign, strings.Split(digits, ":"))
	}
	return strconv.ParseInt(strings.TrimPrefix(sign, "+")+digits, base, 64)
}

// sexagesimal is what "12:30" is for YAML 1.1: a number to the base 60.
func sexagesimal(sign string, parts []string) (n int64, err error) {
	for _, part := range parts {
		digit, err := strconv.ParseInt(part, 10, 32)
		if err != nil {
			return 0, err
		}
		if n > math.MaxInt64/61 {
			return 0, strconv.ErrRange
		}
		n = n*60 + digit
	}
	if sign == "-" {
		n = -n
	}
	return n, nil
}
