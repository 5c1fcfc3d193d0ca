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

// ErrorDocument is the error in JSON output.
type ErrorDocument struct {
	Message  string   `json:"message"`
	Recovery string   `json:"recovery"`
	Code     string   `json:"code"`              // a fault.Kind
	Details  []string `json:"details,omitempty"` // the last lines of a log or of a build step
}

// Document writes one JSON document to Out.
func (v *View) Document(doc any) error {
	v.endProgress()
	data, err := encode(doc)
	if err != nil {
		return err
	}
	if v.filter != nil {
		return v.writeFiltered(data)
	}
	_, err = v.Out.Write(data)
	return err
}

// encode encodes a document with an indentation of two spaces. It does not escape <, > and &. In addition to the
// characters that encoding/json escapes, it escapes C1 control characters, invisible characters and characters that
// change the writing direction.
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

// failJSON writes {"error": ...} and adds the fields of doc.
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
	for _, one := range splitErrors(err) {
		for _, line := range tail(asFault(one).Details, detailLines) {
			doc.Details = append(doc.Details, text.Printable(text.StripUserInfo(line)))
		}
	}
	return doc
}

// timestamp formats a time as RFC 3339 in UTC. It returns nil, which is null in JSON, for the zero time.
func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}
