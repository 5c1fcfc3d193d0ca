package i18n

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTranslateFunc(t *testing.T) {
	m := M("Runtime {{.Name}}: {{.Why}}", "Name", "a/b", "Why", M("{{.What}} is missing.", "What", "metadata"))
	got := New(English).TranslateFunc(m, func(name, value string) string { return "<" + value + ">" })
	if want := "Runtime <a/b>: <metadata> is missing."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (*Catalog)(nil).Translate(m), "Runtime a/b: metadata is missing."; got != want {
		t.Errorf("nil catalog: got %q, want %q", got, want)
	}
}

func TestPlaceholdersInValuesAreNotReplaced(t *testing.T) {
	m := M("{{.A}} {{.B}}", "A", "{{.B}}", "B", "secret")
	if got, want := New(English).Translate(m), "{{.B}} secret"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknownTextStaysEnglish(t *testing.T) {
	for _, locale := range append(locales(), "xx_XX", "") {
		if got := New(locale).Translate(M("No such text {{.N}}.", "N", 3)); got != "No such text 3." {
			t.Errorf("%s: %q", locale, got)
		}
	}
}

func TestPick(t *testing.T) {
	for _, tc := range []struct{ configured, env, want string }{
		{"", "", English},
		{"", "LANG=C", English},
		{"", "LANG=C.UTF-8", English},
		{"", "LANG=de_DE.UTF-8", "de_DE"},
		{"", "LC_ALL=de_AT.UTF-8@euro LANG=fr_FR", "de_DE"},
		{"", "LC_MESSAGES=pt_PT", "pt_BR"},
		{"fr_FR", "LANG=de_DE", "fr_FR"},
		{"zh_Hans", "", "zh_Hans"},
		{"", "LANG=zh_TW.UTF-8", "zh_Hant"},
		{"", "LANG=zh_CN.UTF-8", "zh_Hans"},
		{"", "LANG=sv_SE", English},
		{"", "LANG=en_GB.UTF-8", English},
		{"", "LANG=../../x", English},
	} {
		env := map[string]string{}
		for kv := range strings.FieldsSeq(tc.env) {
			k, v, _ := strings.Cut(kv, "=")
			env[k] = v
		}
		if got := Pick(tc.configured, func(k string) string { return env[k] }); got != tc.want {
			t.Errorf("Pick(%q, %q) = %q, want %q", tc.configured, tc.env, got, tc.want)
		}
	}
}

func TestResourcesArePacked(t *testing.T) {
	for _, locale := range locales() {
		name := "all." + locale + ".json"
		want, err := os.ReadFile(filepath.Join("resources", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unpack(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s in resources.zip is outdated (%v): run 'go generate ./i18n'", name, err)
		}
	}
}
