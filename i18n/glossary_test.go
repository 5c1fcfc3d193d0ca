package i18n

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// notProse is what a translation keeps: commands, placeholders and names.
var notProse = regexp.MustCompile(`'[^' ]+( [^']*)?'|{{\.\w+}}|` + "`[^`]*`" + `|fn-runtime`)

// A word of the field has one translation in a language, everywhere: that of the IBM Cloud CLI where it has the word.
func TestTermsAreTheSameEverywhere(t *testing.T) {
	data, err := os.ReadFile("testdata/glossary.json")
	if err != nil {
		t.Fatal(err)
	}
	var glossary map[string]map[string]string // English word -> locale -> pattern
	if err := json.Unmarshal(data, &glossary); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for word, locales := range glossary {
		english := regexp.MustCompile(`(?i)\b` + word + `s?\b`)
		for locale, pattern := range locales {
			translated := regexp.MustCompile(`(?i)` + pattern)
			for _, e := range read(t, locale) {
				if e.Stale() || !english.MatchString(notProse.ReplaceAllString(e.ID, " ")) {
					continue
				}
				seen++
				for form, text := range e.Translation {
					if !translated.MatchString(text) {
						t.Errorf("%s: %q speaks of %s, and its translation has no %s (%s): %q", locale, e.ID, word, pattern, form, text)
					}
				}
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d texts were looked at", seen)
	}
}

// A sentence ends as the language ends sentences, and a question stays one.
func TestSentencesStaySentences(t *testing.T) {
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
					t.Errorf("%s: %q is a %s, and %q a %s (%s)", locale, text, got, e.ID, want, form)
				}
			}
		}
	}
}
