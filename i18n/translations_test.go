package i18n

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fn-runtime/i18n/resource"
)

func read(t *testing.T, locale string) []resource.Entry {
	t.Helper()
	list, err := resource.Read(filepath.Join("resources", "all."+locale+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Every form of a translation has the same placeholders and commands as its English text.
func TestTranslationsKeepPlaceholdersAndCommands(t *testing.T) {
	for _, locale := range locales() {
		for _, e := range read(t, locale) {
			for form, text := range e.Translation {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %q has an empty translation (%s)", locale, e.ID, form)
				}
				if got, want := resource.Placeholders(text), resource.Placeholders(e.ID); !slices.Equal(got, want) {
					t.Errorf("%s: %q has the placeholders %v, want %v", locale, text, got, want)
				}
				if got, want := strings.Count(text, "{{"), strings.Count(text, "{{."); got != want {
					t.Errorf("%s: %q has %d opening braces, but %d placeholders", locale, text, got, want)
				}
				if got, want := strings.Count(text, "'ibmcloud "), strings.Count(e.ID, "'ibmcloud "); got != want {
					t.Errorf("%s: %q contains %d commands, want %d as in %q", locale, text, got, want, e.ID)
				}
			}
		}
	}
}

// In every language, a plural has a form for every number. If a form is missing, the text is shown in English.
func TestPluralsHaveAllForms(t *testing.T) {
	for _, locale := range locales() {
		if locale == English {
			continue
		}
		catalog := New(locale)
		for _, e := range read(t, locale) {
			for _, count := range []int{0, 1, 2, 5, 11, 100, 1_000_000} {
				if _, ok := catalog.translation(N(e.ID, e.ID, count)); e.Translation.Plural() && !ok {
					t.Errorf("%s: %q has no form for %d", locale, e.ID, count)
				}
			}
		}
	}
}
