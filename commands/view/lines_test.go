package view

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
)

// locales returns the locales that have translations.
func locales(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../i18n/resources/all.*.json")
	if err != nil || len(files) != 10 {
		t.Fatal(files, err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "all."), ".json")
	}
	return files
}

func TestParagraph(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"blanks":             {"one two three four five", "one two three|four five"},
		"commands":           {"Run it with 'fn-runtime list -q' now.", "Run it with|'fn-runtime list -q'|now."},
		"colored commands":   {"Run it '\x1b[33;1mfn-runtime list\x1b[0m'.", "Run it|'\x1b[33;1mfn-runtime list\x1b[0m'."},
		"apostrophes":        {"l'image d'un autre projet n'est plus", "l'image d'un|autre projet|n'est plus"},
		"groups":             {"deploy NAME [-m, --memory MB]", "deploy NAME|[-m, --memory MB]"},
		"color with [":       {"a \x1b[36;1mb\x1b[0m c d e f g h i j", "a \x1b[36;1mb\x1b[0m c d e f g h|i j"},
		"Chinese":            {"显示本地端点的运行位置。其凭证", "显示本地端点的|运行位置。其凭|证"},
		"full stop":          {"显示本地端点的。其凭证", "显示本地端点|的。其凭证"},
		"Japanese":           {"ローカル・エンドポイントの場所", "ローカル・エン|ドポイントの場|所"},
		"Korean":             {"로컬 엔드포인트의 위치를", "로컬|엔드포인트의|위치를"},
		"color in Chinese":   {"名称空间\x1b[36;1mguest\x1b[0m中的运行时", "名称空间\x1b[36;1mguest\x1b[0m中|的运行时"},
		"longer than a line": {"a docker.io/a/very/long/name b", "a|docker.io/a/very/long/name|b"},
	} {
		var out bytes.Buffer
		proseWriter{w: &out, width: 15}.paragraph(tc.text, "", "")
		if got := strings.ReplaceAll(strings.TrimSuffix(out.String(), "\n"), "\n", "|"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		out.Reset()
		proseWriter{w: &out}.paragraph(tc.text, "> ", "")
		if got := out.String(); got != "> "+tc.text+"\n" {
			t.Errorf("%s without a terminal: got %q", name, got)
		}
	}
}

// In every language the output fits a terminal of 80 columns. Only a word that cannot be broken may be wider.
func TestOutputFitsTheTerminal(t *testing.T) {
	shows := map[string]func(*View){
		"list": func(v *View) { _ = v.Runtimes(sampleRuntimes()) },
		"plan": func(v *View) { r := sampleResult(); r.DryRun = true; _ = v.Result(r) },
		"done": func(v *View) { _ = v.Result(sampleResult()) },
		"show": func(v *View) {
			_ = v.Details([]runtime.Detail{{Runtime: sampleRuntimes()[2], ClientPython: "3.9", ClientLithops: "3.7.0"}})
		},
		"call": func(v *View) { _ = v.Invocations([]runtime.Invocation{{ActivationID: strings.Repeat("0", 32)}}) },
	}
	for _, locale := range locales(t) {
		for name, show := range shows {
			s := newScreen(func(v *View) { v.OutTTY, v.Width, v.OutColor, v.Texts = true, 80, true, i18n.New(locale) })
			show(s.View)
			for line := range strings.SplitSeq(s.out.String(), "\n") {
				if w := displayWidth(line); w > 80 && strings.Contains(strings.TrimLeft(stripColors(line), " '"), " ") {
					t.Errorf("%s, %s: %d columns: %s", locale, name, w, line)
				}
			}
		}
	}
}

// A column of a table starts at the same screen column in every row, whatever characters the cells contain.
func TestTableColumnsAreAligned(t *testing.T) {
	for _, locale := range locales(t) {
		s := newScreen(func(v *View) { v.OutTTY, v.Width, v.Texts = true, 80, i18n.New(locale) })
		_ = s.Runtimes(sampleRuntimes())
		want := -1
		for line := range strings.SplitSeq(s.out.String(), "\n") {
			before, _, ok := strings.Cut(line, "3.8.0") // a value of the column Lithops
			if !ok {
				continue
			}
			column := displayWidth(before)
			if want < 0 {
				want = column
			}
			if column != want {
				t.Errorf("%s: column %d, want %d: %s", locale, column, want, line)
			}
		}
		head, _, _ := strings.Cut(s.out.String(), "\n")
		if before, _, ok := strings.Cut(head, "Lithops"); !ok || displayWidth(before) != want {
			t.Errorf("%s: the header is not aligned with its column: %s", locale, head)
		}
	}
}
