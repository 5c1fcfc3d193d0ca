package manifest

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/text"
)

// variable matches ${NAME}, ${NAME:-DEFAULT}, the escape "$${", and malformed references.
var variable = text.NewPattern(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}|\$\{[^}]*\}?`)

// substitute replaces references to environment variables in the values of the file, but not in keys. An unquoted value
// gets the type of its replacement: ${MEMORY} can be a number.
func (r *reader) substitute(n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			r.substitute(n.Content[i])
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			r.substitute(item)
		}
	case yaml.ScalarNode:
		if strings.Contains(n.Value, "${") {
			n.Value = variable.ReplaceAllStringFunc(n.Value, func(found string) string { return r.replacement(r.at(n), found) })
			n.Tag = ""
		}
	}
}

func (r *reader) replacement(at Position, found string) string {
	if found == "$${" {
		return "${"
	}
	m := variable.FindStringSubmatch(found)
	name, fallback, hasFallback := m[1], strings.TrimPrefix(m[2], ":-"), m[2] != ""
	switch value := r.getenv(name); {
	case name == "":
		r.report(at, i18n.M("'{{.Text}}' is not a valid variable. Write a variable as {{.Form}}, and a literal ${ as {{.Escape}}.",
			"Text", found, "Form", "${NAME}", "Escape", "$${"))
	case value != "":
		return value
	case hasFallback:
		return fallback
	default:
		r.report(at, i18n.M("The environment variable {{.Name}} is not set. Use {{.Form}} to specify a default value.", "Name", name, "Form", "${"+name+":-VALUE}"))
	}
	return "unknown" + strconv.Itoa(len(r.faults)) // not empty and unique, so that the replacement causes no further errors
}
