package i18n

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// notProse matches the parts of a text that are not translated: commands, placeholders and names.
var notProse = regexp.MustCompile(`'[^' ]+( [^']*)?'|{{\.\w+}}|` + "`[^`]*`" + `|fn-runtime`)

// A technical term has the same translation in all texts of a language. If the IBM Cloud CLI uses the term, the
// translation is that of the CLI.
func TestTermsAreTranslatedConsistently(t *testing.T) {
	data, err := os.ReadFile("testdata/glossary.json")
	if err != nil {
		t.Fatal(err)
	}
	var glossary map[string]map[string]string // English word -> locale -> pattern
	if err := json.Unmarshal(data, &glossary); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for word, locales := range glossary {
		english := regexp.MustCompile(`(?i)\b` + word + `s?\b`)
		for locale, pattern := range locales {
			translated := regexp.MustCompile(`(?i)` + pattern)
			for _, e := range read(t, locale) {
				if e.Stale() || !english.MatchString(notProse.ReplaceAllString(e.ID, " ")) {
					continue
				}
				checked++
				for form, text := range e.Translation {
					if !translated.MatchString(text) {
						t.Errorf("%s: %q contains the term %s, but its translation does not match %s (%s): %q", locale, e.ID, word, pattern, form, text)
					}
				}
			}
		}
	}
	if checked < 1000 {
		t.Errorf("checked only %d texts", checked)
	}
}

// The translation of a sentence is a sentence, and that of a question is a question.
func TestTranslationsKeepTheKindOfText(t *testing.T) {
	kind := func(s string) string {
		switch {
		case strings.HasSuffix(s, "..."):
			return "work in progress"
		case strings.HasSuffix(s, ".") || strings.HasSuffix(s, "。"):
			return "sentence"
		case strings.HasSuffix(s, "?") || strings.HasSuffix(s, "？"):
			return "question"
		}
		return "words"
	}
	for _, locale := range locales() {
		if locale == English {
			continue
		}
		for _, e := range read(t, locale) {
			if e.Stale() {
				continue
			}
			for form, text := range e.Translation {
				if got, want := kind(text), kind(e.ID); got != want && text != "Inic." {
					t.Errorf("%s: %q is a %s, but %q is a %s (%s)", locale, text, got, e.ID, want, form)
				}
			}
		}
	}
}
