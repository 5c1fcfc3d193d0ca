package commands

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

// all returns every command that help shows.
func all(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			list = append(list, all(sub)...)
		}
	}
	return list
}

// helpIn is the help of each command in a terminal of 80 columns.
func helpIn(locale string) map[string]string {
	pages := map[string]string{}
	for _, cmd := range all(NewRoot(&Factory{View: &view.View{}})) {
		var out bytes.Buffer
		v := &view.View{Streams: view.Streams{Out: &out, OutTTY: true, Width: 80}, Texts: i18n.New(locale)}
		v.Help(HelpOf(cmd), false)
		pages[cmd.CommandPath()] = out.String()
	}
	var out bytes.Buffer
	v := &view.View{Streams: view.Streams{Out: &out, OutTTY: true, Width: 80}, Texts: i18n.New(locale)}
	v.Help(Environment(), false)
	pages["environment"] = out.String()
	return pages
}

// In every language help fits 80 columns; only an example, which is copied whole, may be wider.
func TestHelpFitsTheTerminal(t *testing.T) {
	files, err := filepath.Glob("../i18n/resources/all.*.json")
	if err != nil || len(files) != 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		locale := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "all."), ".json")
		for name, page := range helpIn(locale) {
			for line := range strings.SplitSeq(page, "\n") {
				words := strings.Fields(line)
				example := strings.HasPrefix(line, "      ibmcloud ")
				if w := runewidth.StringWidth(line); w > 80 && !example && len(words) > 1 {
					t.Errorf("%s, %s: %d columns: %s", locale, name, w, line)
				}
			}
		}
	}
}

// The guide's form: name, usage, numbered examples, options.
func TestHelpHasTheGuidesForm(t *testing.T) {
	form := regexp.MustCompile(`(?s)^NAME:\n   [a-z-][a-z, -]*- [A-Z].*\.\n\nUSAGE:\n   ibmcloud fn-runtime.*\n\nEXAMPLES:\n   1\. [A-Z].*\n      ibmcloud fn-runtime `)
	for name, page := range helpIn(i18n.English) {
		if name == "environment" {
			continue
		}
		if !form.MatchString(page) {
			t.Errorf("%s:\n%s", name, page)
		}
		numbers := regexp.MustCompile(`(?m)^   (\d+)\. .*(?:\n      [^ i].*)*\n      ibmcloud fn-runtime `).FindAllStringSubmatch(page, -1)
		for i, m := range numbers {
			if m[1] != string(rune('1'+i)) {
				t.Errorf("%s: example %s is the number %d", name, m[1], i+1)
			}
		}
	}
}
