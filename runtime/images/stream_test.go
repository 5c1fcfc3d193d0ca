package images

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/docker/docker/pkg/jsonmessage"
)

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                               "plain",
		"\x1b[31mred\x1b[0m":                  "red",
		"\x1b]0;title\a text":                 " text",
		"\x1b]8;;http://x\x1b\\link":          "link",
		"10%\r50%\r100%\r\n":                  "100%",
		"tab\there":                           "tab    here",
		"bell\a null\x00":                     `bell\x07 null\x00`,
		"\xff\xfebytes":                       `\xff\xfebytes`,
		"grüße 日本":                            "grüße 日本",
		"\u202eabc":                           `\u202eabc`,
		"\x1b":                                "",
		"\x1b[":                               "",
		"\x1bPdevice control":                 "",
		strings.Repeat("x", 2*lineBytes) + "": strings.Repeat("x", lineBytes) + "...",
	} {
		if got := sanitize(in); got != want {
			t.Errorf("%q became %q instead of %q", in, got, want)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m\r\n")
	f.Add("\x1b]0;x\x1b\\")
	f.Fuzz(func(t *testing.T, s string) {
		got := sanitize(s)
		if len(got) > lineBytes+10 {
			t.Errorf("%d bytes", len(got))
		}
		for _, r := range got {
			if !unicode.IsPrint(r) && r != ' ' {
				t.Errorf("sanitize(%q) keeps %q", s, r)
			}
		}
	})
}

func TestTail(t *testing.T) {
	var l tail
	if got, want := l.write("one\ntw"), []string{"one"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := l.write("o\n\nthree"), []string{"two", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := strings.Join(l.last(), "|"); got != "one|two|three" {
		t.Errorf("got %q, want %q", got, "one|two|three")
	}
	l.write(strings.Repeat("more\n", 100) + strings.Repeat("long", 1<<20))
	if got := l.last(); len(got) != tailLines || len(got[tailLines-1]) > lineBytes+3 {
		t.Errorf("%d lines, the last has %d bytes", len(got), len(got[len(got)-1]))
	}
}

func TestMessages(t *testing.T) {
	var got []string
	read := func(stream string) error {
		got = nil
		return readMessages(strings.NewReader(stream), func(m jsonmessage.JSONMessage) error {
			got = append(got, m.Stream)
			return nil
		})
	}
	if err := read("{\"stream\":\"a\"}\r\n\r\n{\"stream\":\"b\"}\n{\"unknown\":1}"); err != nil || strings.Join(got, ",") != "a,b," {
		t.Errorf("%q %v", got, err)
	}
	if err := read("<html>gateway</html>"); !errors.Is(err, errNotMessages) {
		t.Error(err)
	}
	if err := read("{\"stream\":\"" + strings.Repeat("x", maxMessage)); err == nil || len(got) > 0 {
		t.Error("an oversized message was accepted")
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(`{"stream":"Step 1/2 : FROM x\n"}` + "\n" + `{"aux":{"ID":"sha256:1"}}` + "\n" + `{"errorDetail":{"code":1,"message":"m"},"error":"m"}`)
	f.Add(`{"id":"moby.buildkit.trace","aux":"CgA="}`)
	f.Add(`{"id":"a","status":"Pushing","progressDetail":{"current":5,"total":3}}`)
	f.Fuzz(func(t *testing.T, stream string) {
		out := newPrinter(nil)
		classic, kit, push := &classicReport{out: out}, &buildKitReport{out: out}, &pushReport{out: out, onRetry: func() {}, progress: func(int64, int64, string) {}}
		_ = readMessages(strings.NewReader(stream), func(m jsonmessage.JSONMessage) error {
			classic.message(m)
			kit.message(m)
			push.message(m)
			return nil
		})
		if _, lines := classic.step(); len(lines) > tailLines {
			t.Errorf("%d lines kept", len(lines))
		}
		kit.step()
	})
}
