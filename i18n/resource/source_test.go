package resource

import (
	"go/parser"
	"go/token"
	"testing"
)

// collect reports texts that are not literals in a call of i18n.M or i18n.N.
func TestCollectReportsHiddenTexts(t *testing.T) {
	for source, want := range map[string]int{
		`i18n.M("A" + "b.")`:      0,
		`i18n.N("One.", "N.", 2)`: 0,
		`i18n.Message{}`:          0,
		`i18n.M(text)`:            1,
		`i18n.M("A" + text)`:      1,
		`i18n.N("One.", text, 2)`: 1,
		`[]any{i18n.M}`:           1,
		`i18n.Message{ID: "A."}`:  1,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nvar _ = "+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(file, make(map[string]Text), false); len(got) != want {
			t.Errorf("%s: got %d hidden texts, want %d", source, len(got), want)
		}
	}
}
