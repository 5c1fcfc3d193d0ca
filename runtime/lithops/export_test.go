package lithops

import (
	"strconv"
	"strings"
)

// Outline reads a configuration and gives it as a program in Python would write it down: a list of the kind of each
// value and what it says. Keys that are no texts are left out.
func Outline(data []byte) (any, error) {
	n, err := parseYAML(data)
	if err != nil || n.empty() {
		return nil, err
	}
	return outline(n), nil
}

func outline(n *node) any {
	switch n.kind {
	case kindText:
		return []any{"str", n.text}
	case kindBool:
		return []any{"bool", strconv.FormatBool(yamlTrue.MatchString(n.text))}
	case kindInt:
		v, err := pythonInt(n.text)
		if err != nil {
			return []any{"int", "other"}
		}
		return []any{"int", strconv.FormatInt(v, 10)}
	case kindList:
		list := []any{}
		for _, v := range n.items {
			list = append(list, outline(v))
		}
		return []any{"list", list}
	case kindMap:
		pairs := map[string]any{}
		for key, v := range n.values {
			if !strings.HasPrefix(key, "\x00") {
				pairs[key] = outline(v)
			}
		}
		return []any{"dict", pairs}
	}
	return []any{map[kind]string{kindNull: "NoneType", kindFloat: "float", kindOther: "other"}[n.kind]}
}
