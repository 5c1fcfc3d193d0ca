package plugin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
)

// The rules of the validator in the CLI SDK (plugin/plugin_metadata_validator.go of release 1.12.1, Apache-2.0), which
// checks a plug-in when it is published. The rules are copied because the module that contains them is not available
// with a checksum. Errors are not allowed. A warning is allowed only for the words in allowedWords.
var (
	placeholder  = regexp.MustCompile(`\[([aA]rguments|[oO]ptions)+\.{0,3}\]`)
	flagNames    = regexp.MustCompile(`(-[a-zA-Z]{1}\s+)|(--[a-zA-Z][a-zA-Z-]*)`)
	pathNames    = regexp.MustCompile(`/[a-z/]+`)
	smallWords   = regexp.MustCompile(`\b([a-z][a-z_-]+)\b`)
	badStarts    = []string{"this command", "plugin to", "commands to", "this plugin", "this is"}
	listKeywords = []string{"list", "show", "display", "view", "retrieve", "get", "all", "multiple"}
	commonVerbs  = strings.Fields("list show create update delete remove add bind unbind get set unset enable disable start stop restart config download")
)

// allowedWords are the lowercase words that usage lines may contain, with the reasons: users type these words
// literally, they do not stand for values.
var allowedWords = map[string]string{
	"default":     "selects the default runtime of Lithops for a Python version",
	"all":         "selects all runtimes",
	"environment": "a help topic",
	"port":        "the end of the flag --s3-port: the validator stops at the digit",
	"bash":        "a shell", "zsh": "a shell", "fish": "a shell", "powershell": "a shell",
}

// finding is an error or a warning of the validator.
type finding struct{ priority, message string }

func validateCommand(c sdk.Command) (all []finding) {
	report := func(priority, format string, args ...any) {
		all = append(all, finding{priority, c.Namespace + " " + c.Name + ": " + fmt.Sprintf(format, args...)})
	}
	for name, value := range map[string]string{"namespace": c.Namespace, "name": c.Name, "description": c.Description, "usage": c.Usage} {
		if value == "" {
			report("ERROR", "no %s", name)
		}
	}
	segments := strings.FieldsFunc(c.Name, func(r rune) bool { return r == '-' || r == ' ' })
	for _, s := range segments {
		if len(s) < 2 {
			report("ERROR", "the segment %q has less than 2 characters", s)
		}
	}
	plural := len(segments) > 0 && len(segments[len(segments)-1]) >= 3 && strings.HasSuffix(segments[len(segments)-1], "s") && !slices.Contains(commonVerbs, segments[len(segments)-1])
	description := strings.ToLower(c.Description)
	if has := func(word string) bool { return strings.Contains(description, word) }; plural && !slices.ContainsFunc(listKeywords, has) {
		report("WARNING", "a plural without a word of lists in its description")
	}
	if description != "" && c.Description[:1] != strings.ToUpper(c.Description[:1]) {
		report("ERROR", "the description begins with a small letter")
	}
	for _, start := range badStarts {
		if strings.HasPrefix(description, start) {
			report("ERROR", "the description begins with %q", start)
		}
	}
	if n := len(strings.Fields(description)); n > 15 {
		report("INFO", "the description has %d words", n)
	}
	if placeholder.MatchString(c.Usage) {
		report("ERROR", "placeholders in the usage")
	}
	if parts := strings.SplitAfter(c.Usage, "COMMAND"); len(parts) == 2 && strings.TrimSpace(parts[1]) == "" {
		report("ERROR", "nothing but COMMAND in the usage")
	}
	if hasUnclosedBracket(c.Usage) {
		report("ERROR", "an unclosed bracket in the usage")
	}
	known := strings.FieldsFunc(strings.ToLower("and or to from with ibmcloud ic bx options arguments "+c.Namespace+" "+c.Name+" "+strings.ReplaceAll(c.Namespace+" "+c.Name, "-", " ")),
		func(r rune) bool { return r == ' ' })
	for _, word := range smallWords.FindAllString(pathNames.ReplaceAllString(flagNames.ReplaceAllString(c.Usage, ""), ""), -1) {
		if !slices.Contains(known, word) {
			report("WARNING", "small letters in the usage: %s", word)
		}
	}
	for _, f := range c.Flags {
		if f.Name == "" || f.Description == "" || strings.ContainsAny(f.Name, "<>") {
			report("ERROR", "the flag %+v", f)
		}
	}
	return all
}

func hasUnclosedBracket(usage string) bool {
	pairs := map[rune]rune{')': '(', ']': '[', '>': '<', '}': '{'}
	var open []rune
	for _, r := range usage {
		switch {
		case strings.ContainsRune("([{<", r):
			open = append(open, r)
		case pairs[r] != 0 && len(open) > 0:
			if open[len(open)-1] != pairs[r] {
				return true
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) > 0
}

func TestMetadataPassesTheValidatorOfTheSDK(t *testing.T) {
	m := (&plugin{}).GetMetadata()
	if m.Name != strings.ToLower(m.Name) || m.MinCliVersion.Major < 2 || len(m.Namespaces) == 0 || len(m.Commands) == 0 {
		t.Errorf("the plug-in itself: %s, CLI %s, %d namespaces, %d commands", m.Name, m.MinCliVersion, len(m.Namespaces), len(m.Commands))
	}
	used := map[string]bool{}
	for _, c := range m.Commands {
		for _, f := range validateCommand(c) {
			word := f.message[strings.LastIndex(f.message, " ")+1:]
			if used[word] = true; f.priority != "WARNING" || allowedWords[word] == "" {
				t.Errorf("%s %s", f.priority, f.message)
			}
		}
	}
	for word := range allowedWords {
		if !used[word] {
			t.Errorf("%q in allowedWords is not needed any more", word)
		}
	}
}

// Each rule reports a command that violates it.
func TestValidateCommand(t *testing.T) {
	good := sdk.Command{Namespace: "x", Name: "start", Description: "Start it.", Usage: "ibmcloud x start NAME"}
	for what, spoil := range map[string]func(*sdk.Command){
		"less than 2":        func(c *sdk.Command) { c.Name = "*" },
		"nothing but":        func(c *sdk.Command) { c.Usage = "ibmcloud x COMMAND" },
		"placeholders":       func(c *sdk.Command) { c.Usage += " [options...]" },
		"unclosed":           func(c *sdk.Command) { c.Usage += " [A" },
		"letters: name":      func(c *sdk.Command) { c.Usage += " name" },
		"small letter":       func(c *sdk.Command) { c.Description = "start it." },
		"begins with \"this": func(c *sdk.Command) { c.Description = "This command starts." },
		"a plural":           func(c *sdk.Command) { c.Name = "things" },
		"no usage":           func(c *sdk.Command) { c.Usage = "" },
	} {
		c := good
		spoil(&c)
		found := validateCommand(c)
		if !slices.ContainsFunc(found, func(f finding) bool {
			return strings.Contains(strings.ReplaceAll(f.message, "in the usage: ", "letters: "), what)
		}) {
			t.Errorf("%s: found %v", what, found)
		}
	}
	if found := validateCommand(good); len(found) > 0 {
		t.Errorf("valid command: got %v, want no findings", found)
	}
}
