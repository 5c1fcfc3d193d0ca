package pyyaml

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"fn-runtime/runtime/text"
)

// Kind is the type of a YAML value in PyYAML's safe_load.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Text
	Int
	Float
	Bool
	Other // a time, or a value that safe_load rejects; not valid for any key of Lithops
	Map
	List
)

// Node is a value of a text with its position.
type Node struct {
	Kind   Kind
	Line   int    // from 1; 0 for JSON
	Text   string // for scalars: the string, or the literal
	Keys   []string
	Values map[string]*Node
	Items  []*Node
}

// Get returns the value of a key in a mapping. It returns nil if the key is missing or the value is null.
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

// Contains reports whether the value or a value in it is the given string.
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

// Scalar returns the text of a scalar. It returns "" for lists, mappings and nil.
func (n *Node) Scalar() string {
	if n == nil || n.Kind == Map || n.Kind == List {
		return ""
	}
	return n.Text
}

func (n *Node) set(key string, v *Node) {
	if _, exists := n.Values[key]; !exists {
		n.Keys = append(n.Keys, key)
	}
	n.Values[key] = v
}

// Empty reports whether the value is falsy in Python. It returns false for booleans and numbers.
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
// is a boolean, 012 is octal, 1e5 is a string.
var (
	yamlNull     = text.NewPattern(`^(?:~|null|Null|NULL|)$`)
	yamlBool     = text.NewPattern(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	yamlBoolWord = text.NewPattern(`(?i)^(?:yes|no|true|false|on|off)$`)
	yamlTrue     = text.NewPattern(`(?i)^(?:yes|true|on)$`)
	yamlInt      = text.NewPattern(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	yamlFloat    = text.NewPattern(`^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	yamlOther    = text.NewPattern(`^(?:=|<<)$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?$`)
)

// KindOf returns the kind of a plain scalar.
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

// Int returns the value of an integer in YAML 1.1 format: with underscores, with the prefix 0b or 0x, octal with a
// leading 0, or in base 60 with colons. The error is that of strconv.
func (n *Node) Int() (int64, error) { return pythonInt(n.Text) }

// True reports whether a Bool is true.
func (n *Node) True() bool { return yamlTrue.MatchString(n.Text) }

// pythonInt parses an integer in YAML 1.1 format.
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

// sexagesimal returns the value of the digits of a number in base 60, such as "12:30" in YAML 1.1.
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
