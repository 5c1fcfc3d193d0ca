package text

import (
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 日本": "plain ü 日本", "a\u00a0b": "a\u00a0b", "a\tb": "a b", "a\nb": `a\x0ab`, "\x1b[31m": `\x1b[31m`, "\u009b1m": `\x9b1m`,
		"\u202e": `\u202e`, "\U000e0041": `\u0e0041`, "\xff": `\xff`, "\u2028": `\u2028`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q): got %q, want %q", in, got, want)
		}
	}
	if got, want := Lines("a\n\x1bb\n"), "a\n"+`\x1bb`+"\n"; got != want {
		t.Errorf("Lines: got %q, want %q", got, want)
	}
}

// A password in a URL does not appear in an error.
func TestStripUserInfo(t *testing.T) {
	for in, want := range map[string]string{
		"no folder https://u:p@h/x.git.": "no folder https://h/x.git.", "https:/token@h/x": "https:/h/x", "a s3://k:s#e@b b http://u@c": "a s3://b b http://c",
		"u@h.example": "u@h.example", "https://h/@scope/x": "https://h/@scope/x", "img@sha256:1": "img@sha256:1", "C:/a@b": "C:/a@b",
	} {
		if got := StripUserInfo(in); got != want {
			t.Errorf("StripUserInfo(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " one\n two\t": "one two", "1234567890": "1234567890", "1234567890x": "1234567...", "12345日本語": "12345...", "a\x1b[2J": `a\x1b[2J`,
	} {
		if got := Line(in, 10); got != want {
			t.Errorf("Line(%q, 10): got %q, want %q", in, got, want)
		}
	}
}

// The output is UTF-8 that a terminal displays, for any input.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[0m\u202e\xff", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		for _, got := range []string{Printable(s), Line(s, limit)} {
			if !utf8.ValidString(got) {
				t.Errorf("%q: got %q, which is not UTF-8", s, got)
			}
			for _, r := range got {
				if hidden(r) {
					t.Errorf("%q: got %q, which has %U", s, got, r)
				}
			}
		}
		if got := Line(s, limit); len(got) > max(limit, 3) {
			t.Errorf("Line(%q, %d): got %d bytes", s, limit, len(got))
		}
	})
}
