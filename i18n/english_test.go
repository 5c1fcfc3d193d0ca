package i18n

import (
	"regexp"
	"strings"
	"testing"

	"fn-runtime/i18n/resource"
)

// source returns the texts in the source by ID.
func source(t *testing.T) map[string]resource.Text {
	t.Helper()
	texts, _, err := resource.Source("..")
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestTextsCanBeTranslated(t *testing.T) {
	_, hidden, err := resource.Source("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, pos := range hidden {
		t.Errorf("%s: the text must be a literal in a call of i18n.M or i18n.N, so that it can be translated", pos)
	}
}

// All texts follow the rules of the IBM Cloud CLI guide.
func TestTextsFollowTheGuide(t *testing.T) {
	please := regexp.MustCompile(`(?i)\bplease\b`)
	plugin := regexp.MustCompile(`\b[Pp]lugin\b`)
	short := regexp.MustCompile(`(?i)n't\b|\b(it|that|there|what|who)'s\b|\b(you|we|they)'(re|ve|ll)\b|\bcan not\b`)
	for id := range source(t) {
		if please.MatchString(id) {
			t.Errorf("%q: do not use \"please\"", id)
		}
		if plugin.MatchString(strings.ReplaceAll(id, "ibmcloud plugin", "")) {
			t.Errorf("%q: use \"plug-in\"", id)
		}
		if m := short.FindString(id); m != "" {
			t.Errorf("%q: do not use the contraction %q: write 'is not', 'cannot'", id, m)
		}
		if strings.HasSuffix(id, ".") && !strings.HasSuffix(id, "...") && id[0] >= 'a' && id[0] <= 'z' && !strings.HasPrefix(id, "ibmcloud") {
			t.Errorf("%q: a sentence must start with a capital letter", id)
		}
	}
}
