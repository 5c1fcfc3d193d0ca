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

// allCommands returns every command that help shows.
func allCommands(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			list = append(list, allCommands(sub)...)
		}
	}
	return list
}

// helpPages returns the help of each command, formatted for a terminal of 80 columns.
func helpPages(locale string) map[string]string {
	pages := map[string]string{}
	for _, cmd := range allCommands(NewRoot(&Factory{View: &view.View{}})) {
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

// Help fits 80 columns in every language. Only an example may be wider, because users must be able to copy it as one
// line.
func TestHelpFitsTheTerminal(t *testing.T) {
	files, err := filepath.Glob("../i18n/resources/all.*.json")
	if err != nil || len(files) != 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		locale := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "all."), ".json")
		for name, page := range helpPages(locale) {
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

// Help has the sections that the IBM Cloud CLI guide requires: name, usage, numbered examples, options.
func TestHelpFollowsTheGuide(t *testing.T) {
	form := regexp.MustCompile(`(?s)^NAME:\n   [a-z-][a-z, -]*- [A-Z].*\.\n\nUSAGE:\n   ibmcloud fn-runtime.*\n\nEXAMPLES:\n   1\. [A-Z].*\n      ibmcloud fn-runtime `)
	for name, page := range helpPages(i18n.English) {
		if name == "environment" {
			continue
		}
		if !form.MatchString(page) {
			t.Errorf("%s:\n%s", name, page)
		}
		numbers := regexp.MustCompile(`(?m)^   (\d+)\. .*(?:\n      [^ i].*)*\n      ibmcloud fn-runtime `).FindAllStringSubmatch(page, -1)
		for i, m := range numbers {
			if m[1] != string(rune('1'+i)) {
				t.Errorf("%s: example %s has the number %d", name, m[1], i+1)
			}
		}
	}
}
