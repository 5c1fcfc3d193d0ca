package view

import (
	"strings"
	"testing"

	"fn-runtime/runtime/fault"

	"fn-runtime/i18n"
)

func TestFormatTemplate(t *testing.T) {
	doc := []map[string]any{{"name": "a", "size_bytes": 47490000, "share": 0.5}, {"name": "b\x1b[2J", "size_bytes": 1, "list": []int{1, 2}}}
	for pattern, want := range map[string]string{
		`{{range .}}{{.name}} {{.size_bytes}}{{"\n"}}{{end}}`:       "a 47490000\nb\\x1b[2J 1\n",
		`{{pluck "name" . | join ","}}`:                             "a,b\\x1b[2J\n",
		`{{json (index . 0)}}`:                                      `{"name":"a","share":0.5,"size_bytes":47490000}` + "\n",
		`{{range .}}{{if gt .size_bytes 5}}{{.name}}{{end}}{{end}}`: "a\n",
	} {
		s := newScreen(func(v *View) { v.JSON = true })
		if err := s.SetFormat(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if err := s.Document(doc); err != nil || s.out.String() != want {
			t.Errorf("%s: got %q, %v, want %q", pattern, s.out.String(), err, want)
		}
	}
	s := newScreen(func(v *View) { v.JSON = true })
	if err := s.SetFormat("{{"); err == nil {
		t.Error("got no error for an invalid template")
	}
	_ = s.SetFormat("{{.x.y}}{{index .x 3}}")
	if err := s.Document(map[string]any{"x": []int{}}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("failing template: got %v, want an error on one line", err)
	}
}

// The filter is applied to each line of JSON separately, even if a line is written in several pieces.
func TestFormatTemplateOnJSONLines(t *testing.T) {
	s := newScreen(func(v *View) { v.JSON = true })
	if err := s.SetFormat("{{.msg}}"); err != nil {
		t.Fatal(err)
	}
	w := s.RawWriter()
	for _, piece := range []string{`{"msg":`, `"one"}` + "\n" + `{"msg":"two"}` + "\n{"} {
		if _, err := w.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.out.String(), "one\ntwo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.JSON = false
	s.Fail(fault.New(fault.Failed, i18n.M("No."), i18n.M("Try again later.")), nil)
	if got := s.err.String(); !strings.HasPrefix(got, "FAILED\nNo.") {
		t.Errorf("got the error %q, want text", got)
	}
}
