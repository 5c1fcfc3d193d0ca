// Package i18n holds every text that a person reads, as data until it is shown.
//
// What may go in: the Message value, the catalogue that turns it into a language, and the resource files.
// What may not: knowledge of commands, runtimes or the network. It imports nothing of this project, so that each
// layer can say what it means without knowing who reads it.
package i18n

import (
	"fmt"
	"strings"
)

// Message is a text that has not been put into a language yet. The zero Message is empty.
//
// ID is the English text itself, with placeholders in the form {{.Name}}: the form that the IBM Cloud CLI and its
// resource files use. Args fills the placeholders.
type Message struct {
	ID   string
	Args map[string]any
	// One is the English singular; with it Count chooses the form, and fills {{.Count}}.
	One   string
	Count int
}

// M makes a Message from an English text and pairs of placeholder name and value:
//
//	i18n.M("Runtime {{.Name}} is not deployed.", "Name", image)
func M(id string, pairs ...any) Message {
	return Message{ID: id, Args: args(pairs)}
}

// N makes a Message whose form depends on a number, from its English singular and plural:
//
//	i18n.N("{{.Count}} runtime", "{{.Count}} runtimes", len(list))
func N(one, other string, count int, pairs ...any) Message {
	return Message{ID: other, One: one, Args: args(pairs), Count: count}
}

// With fills the placeholders of a text that a table holds.
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

// IsZero reports whether there is nothing to say.
func (m Message) IsZero() bool { return m.ID == "" }

// String is the English text. It is what logs, Error() and tests see; the screen asks a Catalogue. A value that is
// itself a Message is filled in as its own English text.
func (m Message) String() string { return fill(m.english(), m, Message.String) }

// english is the form of the English text that the number asks for.
func (m Message) english() string {
	if m.One != "" && m.Count == 1 {
		return m.One
	}
	return m.ID
}

// fill replaces the placeholders of a text by the arguments of m; nested Messages are put into words by say.
func fill(text string, m Message, say func(Message) string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	old := make([]string, 0, 2*len(m.Args)+2)
	if m.One != "" {
		old = append(old, "{{.Count}}", fmt.Sprint(m.Count))
	}
	for name, value := range m.Args {
		if inner, ok := value.(Message); ok {
			value = say(inner)
		}
		old = append(old, "{{."+name+"}}", fmt.Sprint(value))
	}
	return strings.NewReplacer(old...).Replace(text)
}
