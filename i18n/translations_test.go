package i18n

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`{{\.\w+}}`)

// Every text is there in every locale of the CLI, and no other.
func TestTranslationsAreComplete(t *testing.T) {
	texts := sourceTexts(t)
	for _, locale := range locales() {
		have := make(map[string]bool)
		for _, e := range readResource(t, locale) {
			if _, ok := texts[e.ID]; !ok {
				t.Errorf("%s: %q is not in the source", locale, e.ID)
			}
			if have[e.ID] {
				t.Errorf("%s: %q is there twice", locale, e.ID)
			}
			have[e.ID] = true
		}
		for _, id := range slices.Sorted(maps.Keys(texts)) {
			if !have[id] {
				t.Errorf("%s lacks %q", locale, id)
			}
		}
	}
}

// Every form of a translation has the placeholders and the commands of its text.
func TestTranslationsFitTheSource(t *testing.T) {
	for _, locale := range locales() {
		for _, e := range readResource(t, locale) {
			for form, text := range formsOf(t, e) {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %q is translated by nothing (%s)", locale, e.ID, form)
				}
				if got, want := placeholders(text), placeholders(e.ID); !slices.Equal(got, want) {
					t.Errorf("%s: %q has the placeholders %v, want %v", locale, text, got, want)
				}
				if len(placeholder.FindAllString(text, -1)) != strings.Count(text, "{{") {
					t.Errorf("%s: %q has a placeholder that is none", locale, text)
				}
				if strings.Count(e.ID, "'ibmcloud ") != strings.Count(text, "'ibmcloud ") {
					t.Errorf("%s: %q names other commands than %q", locale, text, e.ID)
				}
			}
		}
	}
}

// A plural has a form for every number in every language: without it the text would be shown in English.
func TestPluralsHaveEveryForm(t *testing.T) {
	plurals := sourceTexts(t)
	for _, locale := range locales() {
		spoken := new(dictionary)
		for _, e := range readResource(t, locale) {
			if object := bytes.HasPrefix(e.Translation, []byte("{")); object != plurals[e.ID] {
				t.Errorf("%s: %q has plural forms: %v, want %v", locale, e.ID, object, plurals[e.ID])
			}
			if !plurals[e.ID] {
				continue
			}
			for _, count := range []int{0, 1, 2, 5, 11, 100, 1_000_000} {
				if _, ok := spoken.text(locale, N(e.ID, count)); !ok {
					t.Errorf("%s: %q has no form for %d", locale, e.ID, count)
				}
			}
		}
	}
}

// The search for texts sees those that are hidden from it.
func TestHiddenTextsAreSeen(t *testing.T) {
	for source, want := range map[string]int{
		`i18n.M("A" + "b.")`:       0,
		`i18n.N("{{.Count}}.", 2)`: 0,
		`i18n.Message{}`:           0,
		`i18n.M(text)`:             1,
		`i18n.M("A" + text)`:       1,
		`i18n.N(text, 2)`:          1,
		`[]any{i18n.M}`:            1,
		`i18n.Message{ID: "A."}`:   1,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nvar _ = "+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(file, make(map[string]bool), false); len(got) != want {
			t.Errorf("%s: %d hidden texts, want %d", source, len(got), want)
		}
	}
}

// placeholders are those of a text, each once, in order of their names.
func placeholders(text string) []string {
	list := placeholder.FindAllString(text, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// formsOf gives the texts of a translation by plural form; a text without plurals has the form "other".
func formsOf(t *testing.T, e entry) map[string]string {
	t.Helper()
	var one string
	if json.Unmarshal(e.Translation, &one) == nil {
		return map[string]string{"other": one}
	}
	var forms map[string]string
	if err := json.Unmarshal(e.Translation, &forms); err != nil {
		t.Fatalf("%q: %v", e.ID, err)
	}
	return forms
}
