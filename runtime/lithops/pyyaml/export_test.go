package pyyaml

import (
	"strconv"
	"strings"
)

// Outline parses a configuration and returns it in the form that the Python program of the tests prints: a list of the
// type and the value of each node. Keys that are not strings are omitted.
func Outline(data []byte) (any, error) {
	n, err := Parse(data)
	if err != nil || n.Empty() {
		return nil, err
	}
	return outline(n), nil
}

func outline(n *Node) any {
	switch n.Kind {
	case Text:
		return []any{"str", n.Text}
	case Bool:
		return []any{"bool", strconv.FormatBool(yamlTrue.MatchString(n.Text))}
	case Int:
		v, err := pythonInt(n.Text)
		if err != nil {
			return []any{"int", "other"}
		}
		return []any{"int", strconv.FormatInt(v, 10)}
	case List:
		list := []any{}
		for _, v := range n.Items {
			list = append(list, outline(v))
		}
		return []any{"list", list}
	case Map:
		pairs := map[string]any{}
		for key, v := range n.Values {
			if !strings.HasPrefix(key, "\x00") {
				pairs[key] = outline(v)
			}
		}
		return []any{"dict", pairs}
	}
	return []any{map[Kind]string{Null: "NoneType", Float: "float", Other: "other"}[n.Kind]}
}
