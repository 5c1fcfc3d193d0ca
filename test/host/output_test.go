package host

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func colors(t *testing.T, c *cli) {
	colorful := *c
	colorful.env = c.env[:1]
	screen, _ := colorful.terminal(t, "", "list", "-b", "local")
	for what, want := range map[string]string{
		"a header": "\x1b[1mName\x1b[0m", "an entity": "\x1b[36;1mguest\x1b[0m", "a name": "\x1b[36;1mdocker.io/",
	} {
		if !strings.Contains(screen, want) {
			t.Errorf("%s: %q", what, screen)
		}
	}
	screen, _ = colorful.terminal(t, "", "deploy", "default", "-b", "local")
	if !strings.Contains(screen, "\x1b[32;1mOK\x1b[0m\n") {
		t.Errorf("OK: %q", screen)
	}
	screen, _ = colorful.terminal(t, "", "show", "nobody/knows:this", "-b", "local")
	if !strings.Contains(screen, "\x1b[31;1mFAILED\x1b[0m\n") || !strings.Contains(screen, "'\x1b[33;1mibmcloud fn-runtime ") {
		t.Errorf("FAILED and a command: %q", screen)
	}
	color := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	plain := install(t, nil) // a CLI without a color setting
	for _, env := range []string{"IBMCLOUD_COLOR=false", "NO_COLOR=1", "TERM=dumb"} {
		plain.env = []string{env}
		if screen, _ := plain.terminal(t, "", "list"); color.MatchString(screen) || !strings.Contains(screen, "FAILED\n") {
			t.Errorf("%s: %q", env, screen)
		}
	}
	plain.env = nil
	if a := plain.run("fn-runtime", "list"); color.MatchString(a.out + a.err) {
		t.Errorf("no terminal: %+v", a)
	}
	if screen, _ := plain.terminal(t, "", "list"); !color.MatchString(screen) {
		t.Errorf("a terminal: %q", screen)
	}
}

// quiet checks that standard output contains only JSON, and that -q suppresses reports of success but not other
// important messages.
func quiet(t *testing.T, c *cli) {
	for _, args := range [][]string{
		{"deploy", "default", "-b", "local", "-m", "512"}, {"update", "all", "-b", "local"}, {"list", "-b", "local"}, {"show", "default", "-b", "local"},
		{"delete", "all", "-b", "local", "--dry-run"}, {"list", "--nonsense"}, {"delete", "all", "-b", "local"}, {"version"},
	} {
		a := c.run("fn-runtime", append(args, "--output", "json")...)
		if !json.Valid([]byte(a.out)) || a.err != "" {
			t.Errorf("%q: %+v", args, a)
		}
	}
	for _, tc := range []struct{ args, out string }{
		{"deploy default -b local -m 1024", ""}, {"deploy default -b local -m 1024", ""}, {"update all -b local", ""},
		{"delete default -b local -m 1024 -f", ""}, {"init folder", ""},
		{"delete default -b local -m 512 --dry-run", "Plan: 0 to create, 0 to update, 1 to delete, 0 unchanged. Nothing was changed.\n"},
		{"list -b local", "docker.io/lithopscloud/openwhisk-python-v311\n"}, {"show default -b local", "Name "}, {"invoke default -b local -m 256", "Activation "}, {"doctor -b local", "OK "},
	} {
		a := c.run("fn-runtime", append(strings.Fields(tc.args), "-q")...)
		if a.status != 0 || a.err != "" || tc.out == "" && a.out != "" || !strings.Contains(a.out, tc.out) || strings.HasPrefix(a.out, "OK\n") {
			t.Errorf("%s -q: %+v", tc.args, a)
		}
	}
	for _, verb := range []string{"stop", "stop", "start", "start"} {
		if a := c.run("fn-runtime local", verb, "-q"); a != (result{}) {
			t.Errorf("local %s -q: %+v", verb, a)
		}
	}
	if a := c.run("fn-runtime", "show", "nobody/knows:this", "-b", "local", "-q"); a.status != 1 || !strings.HasPrefix(a.err, "FAILED\n") {
		t.Errorf("a failure with -q: %+v", a)
	}
	byVariable := *c
	byVariable.env = append(slices.Clone(c.env), "IBMCLOUD_QUIET=true")
	if a := byVariable.run("fn-runtime", "deploy", "default", "-b", "local"); a != (result{}) {
		t.Errorf("IBMCLOUD_QUIET=true: %+v", a)
	}
}

// languages checks that the CLI's setting takes precedence over the system's, and that each locale of the CLI is
// supported.
func languages(t *testing.T) {
	failed := map[string]string{
		"en_US": "FAILED", "de_DE": "FEHLGESCHLAGEN", "es_ES": "ERROR", "fr_FR": "ECHEC", "it_IT": "", "ja_JP": "失敗", "ko_KR": "", "pt_BR": "", "zh_Hans": "失败", "zh_Hant": "失敗",
	}
	said := map[string]string{}
	for locale, word := range failed {
		for how, c := range map[string]*cli{"configured": install(t, map[string]any{"Locale": locale}), "LC_ALL": install(t, nil)} {
			switch how {
			case "configured":
				c.env = []string{"LC_ALL=pt_BR.UTF-8"}
			default:
				c.env = []string{"LC_ALL=" + map[string]string{"zh_Hans": "zh_CN.UTF-8", "zh_Hant": "zh_TW.UTF-8"}[locale]}
				if c.env[0] == "LC_ALL=" {
					c.env = []string{"LC_ALL=" + locale + ".UTF-8"}
				}
			}
			a := c.run("fn-runtime", "delete", "all")
			if !strings.HasPrefix(a.err, word) {
				t.Errorf("%s, %s: %q", locale, how, a.err)
			}
			if said[locale] == "" {
				said[locale] = a.err
			} else if said[locale] != a.err {
				t.Errorf("%s: configured and of the system differ: %q, %q", locale, said[locale], a.err)
			}
		}
	}
	all := map[string]string{}
	for locale, text := range said {
		if other, ok := all[text]; ok {
			t.Errorf("%s and %s say the same: %q", locale, other, text)
		}
		all[text] = locale
	}
	lang := install(t, nil)
	lang.env = []string{"LC_ALL=", "LC_MESSAGES=", "LANG=ja_JP.UTF-8"}
	if a := lang.run("fn-runtime", "delete", "all"); a.err != said["ja_JP"] {
		t.Errorf("LANG: %q", a.err)
	}
}
