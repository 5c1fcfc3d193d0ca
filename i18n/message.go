// Package i18n implements translatable texts. A text for users is a Message. When the text is shown, a Catalog
// translates it.
//
// The package contains the Message type, the Catalog and the resource files. It does not depend on commands,
// runtimes or the network. It imports no other package of this project, so that every package can create Messages.
package i18n

import (
	"fmt"
	"strings"
)

// Message is a text that is not yet translated. The zero Message is empty.
//
// ID is the English text. It has placeholders of the form {{.Name}}, as in the resource files of the IBM Cloud CLI.
// Args holds the values of the placeholders.
type Message struct {
	ID   string
	Args map[string]any
	// One is the English singular. If it is set, Count selects the plural form and is the value of {{.Count}}.
	One   string
	Count int
}

// M returns a Message with an English text and pairs of placeholder name and value:
//
//	i18n.M("Runtime {{.Name}} is not deployed.", "Name", image)
func M(id string, pairs ...any) Message {
	return Message{ID: id, Args: args(pairs)}
}

// N returns a Message with an English singular and plural. count selects the form:
//
//	i18n.N("{{.Count}} runtime", "{{.Count}} runtimes", len(list))
func N(one, other string, count int, pairs ...any) Message {
	return Message{ID: other, One: one, Args: args(pairs), Count: count}
}

// With returns a copy of the message with the given arguments, for messages that are defined in a table.
func (m Message) With(pairs ...any) Message {
	m.Args = args(pairs)
	return m
}

func args(pairs []any) map[string]any {
	if len(pairs) == 0 {
		return nil
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m
}

// IsZero reports whether the message is empty.
func (m Message) IsZero() bool { return m.ID == "" }

// String returns the English text, for logs, Error methods and tests. Output for users is translated by a Catalog. An
// argument that is a Message is replaced by its English text.
func (m Message) String() string { return fill(m.english(), m, Message.String) }

// english returns the English singular or plural form, with placeholders.
func (m Message) english() string {
	if m.One != "" && m.Count == 1 {
		return m.One
	}
	return m.ID
}

// fill replaces the placeholders of a text by the arguments of m. toString converts arguments that are Messages.
func fill(text string, m Message, toString func(Message) string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	old := make([]string, 0, 2*len(m.Args)+2)
	if m.One != "" {
		old = append(old, "{{.Count}}", fmt.Sprint(m.Count))
	}
	for name, value := range m.Args {
		if inner, ok := value.(Message); ok {
			value = toString(inner)
		}
		old = append(old, "{{."+name+"}}", fmt.Sprint(value))
	}
	return strings.NewReplacer(old...).Replace(text)
}
