package view

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// The output of a jq expression has the format of jq -r: one line per value, strings without quotes.
func TestQuery(t *testing.T) {
	doc := []map[string]any{
		{"name": "a", "size_bytes": 47490000, "share": 0.5, "digest": nil},
		{"name": "b\x1b[2J", "size_bytes": 9007199254740993, "list": []int{1, 2}},
	}
	for expression, want := range map[string]string{
		`.[].name`:                          "a\nb\\x1b[2J\n",
		`.[] | [.name, .size_bytes] | @tsv`: "a\t47490000\nb\\x1b[2J\t9007199254740993\n",
		`.[0]`:                              `{"digest":null,"name":"a","share":0.5,"size_bytes":47490000}` + "\n",
		`map(.size_bytes) | max`:            "9007199254740993\n",
		`.[0].digest, (length > 1)`:         "null\ntrue\n",
		`.[] | select(.share).share * 3`:    "1.5\n",
		`.[].list // empty`:                 "[1,2]\n",
		`1, halt, 2`:                        "1\n",
	} {
		s := newScreen(func(v *View) { v.JSON = true })
		if err := s.SetQuery(t.Context(), expression); err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if err := s.Document(doc); err != nil || s.out.String() != want {
			t.Errorf("%s: got %q, %v, want %q", expression, s.out.String(), err, want)
		}
	}
}

func TestInvalidQuery(t *testing.T) {
	s := newScreen(func(v *View) { v.JSON = true })
	for _, expression := range []string{"[", ".a |", "nosuch", "$nosuch", ""} {
		if err := s.SetQuery(t.Context(), expression); err == nil {
			t.Errorf("got no error for %q", expression)
		}
	}
	for expression, want := range map[string]string{".x.y": "expected an object", `error("no\nway")`: "no way"} {
		if err := s.SetQuery(t.Context(), expression); err != nil {
			t.Fatal(err)
		}
		err := s.Document(map[string]any{"x": []int{}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q on one line", expression, err, want)
		}
		if lines := s.errorLines(err); len(lines) != 1 {
			t.Errorf("%s: got %q, want no suggested fix, because the service did not fail", expression, lines)
		}
	}
}

// Canceling the context ends an expression that does not terminate.
func TestQueryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	s := newScreen(func(v *View) { v.JSON = true })
	if err := s.SetQuery(ctx, "repeat(1)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Document(nil); err == nil {
		t.Error("got no error from a canceled query")
	}
}
