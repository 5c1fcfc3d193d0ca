package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// filter writes the parts of a JSON document that the user selected. Numbers in the document are json.Number.
type filter func(w io.Writer, doc any) error

// SetFormat sets the filter to a template of text/template with the functions join, json and pluck. Integers stay
// integers, because large floating-point numbers are printed with exponents.
func (v *View) SetFormat(pattern string) error {
	t, err := template.New("--format").Funcs(template.FuncMap{"join": join, "json": compact, "pluck": pluck}).Parse(pattern)
	if err != nil {
		return err
	}
	v.filter = func(w io.Writer, doc any) error {
		var out bytes.Buffer
		if err := t.Execute(&out, convertNumbers(doc)); err != nil {
			return err
		}
		if !strings.HasSuffix(out.String(), "\n") {
			out.WriteByte('\n')
		}
		_, err := io.WriteString(w, sanitize(out.String()))
		return err
	}
	return nil
}

// sanitize makes the output of a filter safe for a terminal. It keeps tabs and line breaks.
func sanitize(s string) string {
	columns := strings.Split(s, "\t")
	for i, column := range columns {
		columns[i] = text.Lines(column)
	}
	return strings.Join(columns, "\t")
}

// Filtered reports whether a filter is set. Errors are then printed as text, because filters are written for the
// document of the result.
func (v *View) Filtered() bool { return v.filter != nil }

// join concatenates values with a separator.
func join(sep string, values []any) string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value)
	}
	return strings.Join(all, sep)
}

// pluck returns the values of a field of each object.
func pluck(field string, objects []any) []any {
	all := []any{}
	for _, o := range objects {
		if m, ok := o.(map[string]any); ok {
			all = append(all, m[field])
		}
	}
	return all
}

func compact(value any) (string, error) {
	data, err := json.Marshal(value)
	return string(data), err
}

// writeFiltered passes a JSON document to the filter, which writes to Out.
func (v *View) writeFiltered(data []byte) error {
	numbers := json.NewDecoder(bytes.NewReader(data))
	numbers.UseNumber()
	var doc any
	if err := numbers.Decode(&doc); err != nil {
		return err
	}
	if err := v.filter(v.Out, doc); err != nil {
		return fault.New(fault.Failed, i18n.M("{{.Error}}", "Error", text.Line(err.Error(), 300)), i18n.Message{}).Because(err)
	}
	return nil
}

// convertNumbers replaces each json.Number by an int64 if it is an integer, and by a float64 otherwise.
func convertNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, one := range v {
			v[key] = convertNumbers(one)
		}
	case []any:
		for i, one := range v {
			v[i] = convertNumbers(one)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		n, _ := v.Float64()
		return n
	}
	return value
}

// filterWriter passes each line to the filter. Each line is a JSON document.
type filterWriter struct {
	v    *View
	rest []byte
}

func (w *filterWriter) Write(data []byte) (int, error) {
	w.rest = append(w.rest, data...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(data), nil
		}
		if err := w.v.writeFiltered(line); err != nil {
			return 0, err
		}
		w.rest = rest
	}
}
