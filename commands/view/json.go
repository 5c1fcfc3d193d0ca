package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
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
	if v.filter != nil {
		return v.filtered(data)
	}
	_, err = v.Out.Write(data)
	return err
}

// encode indents by two blanks and leaves <, > and & as they are. Control characters are escaped by JSON itself, and
// here those that it leaves: C1 controls and characters that change the writing direction or are invisible.
func encode(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	unsafe := func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }
	if bytes.IndexFunc(b.Bytes(), unsafe) < 0 {
		return b.Bytes(), nil
	}
	var safe strings.Builder
	for _, r := range b.String() {
		if !unsafe(r) {
			safe.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&safe, `\u%04x`, unit)
		}
	}
	return []byte(safe.String()), nil
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
			doc.Details = append(doc.Details, text.Printable(text.StripUserInfo(line)))
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
