package view

import (
	"encoding/json"
	"fmt"
	"time"

	"fn-runtime/runtime/fault"
)

// ErrorDocument is the error part of JSON output. Code is a fault.Kind.
type ErrorDocument struct {
	Message  string   `json:"message"`
	Recovery string   `json:"recovery"`
	Code     string   `json:"code"`
	Details  []string `json:"details,omitempty"` // the last lines of a log or a build step
}

// Document writes one JSON document to Out.
func (v *View) Document(doc any) error {
	v.endProgress()
	data, err := encode(doc)
	if err != nil {
		return err
	}
	_, err = v.Out.Write(data)
	return err
}

// encode indents by two blanks and leaves <, > and & as they are; control characters are escaped by JSON itself.
func encode(doc any) ([]byte, error) {
	var b buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(doc)
	return b, err
}

type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// failJSON writes {"error": ...} with the fields of doc beside it.
func (v *View) failJSON(err error, doc any) {
	fields := make(map[string]json.RawMessage)
	if doc != nil {
		if data, e := encode(doc); e == nil {
			_ = json.Unmarshal(data, &fields)
		}
	}
	fields["error"], _ = encode(v.errorDocument(err))
	if e := v.Document(fields); e != nil {
		fmt.Fprintln(v.Err, e)
	}
}

func (v *View) errorDocument(err error) ErrorDocument {
	message, recovery := v.message(err)
	doc := ErrorDocument{Message: message, Recovery: recovery, Code: string(fault.KindOf(err))}
	for _, one := range split(err) {
		for _, line := range tail(asFault(one).Details, detailLines) {
			doc.Details = append(doc.Details, clean(line, false))
		}
	}
	return doc
}

// timestamp is RFC 3339 in UTC; the zero time is null.
func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}
