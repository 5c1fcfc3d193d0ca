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

// filter writes of a JSON document what somebody asks of it. Numbers in it are json.Number.
type filter func(w io.Writer, doc any) error

// SetFormat makes a template (text/template) the filter of documents. Its functions are join, json and pluck.
// An integer is one: as floating-point numbers, large ones would be written with exponents.
func (v *View) SetFormat(pattern string) error {
	t, err := template.New("--format").Funcs(template.FuncMap{"join": join, "json": compact, "pluck": pluck}).Parse(pattern)
	if err != nil {
		return err
	}
	v.filter = func(w io.Writer, doc any) error {
		var out bytes.Buffer
		if err := t.Execute(&out, counted(doc)); err != nil {
			return err
		}
		if !strings.HasSuffix(out.String(), "\n") {
			out.WriteByte('\n')
		}
		_, err := io.WriteString(w, safe(out.String()))
		return err
	}
	return nil
}

// safe makes what a filter wrote fit for a terminal; its tabs and line breaks stay.
func safe(s string) string {
	columns := strings.Split(s, "\t")
	for i, column := range columns {
		columns[i] = text.Lines(column)
	}
	return strings.Join(columns, "\t")
}

// Filtered reports whether there is a filter: then errors are said in words, because no filter is made for them.
func (v *View) Filtered() bool { return v.filter != nil }

// join puts a text between values.
func join(between string, values []any) string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value)
	}
	return strings.Join(all, between)
}

// pluck takes a field of each object.
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

// filtered writes what the filter makes of a document that is given as JSON.
func (v *View) filtered(data []byte) error {
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

// counted makes integers of the numbers that are some, and floating-point numbers of the others.
func counted(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, one := range v {
			v[key] = counted(one)
		}
	case []any:
		for i, one := range v {
			v[i] = counted(one)
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

// filterWriter gives each line, a document of its own, to the filter.
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
		if err := w.v.filtered(line); err != nil {
			return 0, err
		}
		w.rest = rest
	}
}
