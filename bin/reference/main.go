// Command reference generates docs/reference, docs/man and docs/environment.md from the help of the commands. Its
// argument is the root directory of the output; the default is the working directory. Run it in the project's
// directory, because it reads the source there. `make docs` runs it, and a test fails if the generated files are
// outdated.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"

	"fn-runtime/commands"
	"fn-runtime/commands/view"
	"fn-runtime/plugin"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := write(root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes all files below docs in the directory root, and removes pages of deleted commands.
func write(root string) error {
	files := map[string][]byte{}
	tree := commands.NewRoot(&commands.Factory{View: &view.View{}, Version: plugin.Version})
	index := "# Reference\n\nOne page per command, generated from the source by `make docs`.\n\n"
	walk(tree, func(cmd *cobra.Command) {
		h := commands.HelpOf(cmd)
		name := fileName(cmd)
		files["docs/reference/"+name+".md"] = []byte(page(h, cmd))
		files["docs/man/"+manName(cmd)+".1"] = md2man.Render([]byte(man(h, manName(cmd))))
		index += fmt.Sprintf("- [%s](%s.md): %s\n", h.Name, name, h.Short)
	})
	list, err := messages()
	if err != nil {
		return err
	}
	files["docs/reference/messages.md"] = []byte(list)
	index += "- [messages](messages.md): every error message with a suggested fix\n"
	files["docs/reference/README.md"] = []byte(index)
	files["docs/environment.md"] = []byte(environment(commands.Environment()))
	for _, old := range []string{"docs/reference", "docs/man"} {
		if err := os.RemoveAll(filepath.Join(root, old)); err != nil {
			return err
		}
	}
	for name, data := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// walk visits the commands that help shows, parents before children.
func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			walk(sub, visit)
		}
	}
}

// fileName returns "local-start" for 'fn-runtime local start', and "fn-runtime" for the root command.
func fileName(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Name()
	}
	return strings.TrimPrefix(manName(cmd), cmd.Root().Name()+"-")
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// program is the name of this program in texts and examples.
const program = "ibmcloud fn-runtime"

// page returns a command's page of the reference, in Markdown.
func page(h view.Help, cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", h.Name, h.Short)
	if !h.Long.IsZero() {
		fmt.Fprintf(&b, "\n%s\n", inCode(h.Long.String()))
	}
	fmt.Fprintf(&b, "\n```text\n%s\n```\n", strings.Join(h.Usage, "\n"))
	if len(h.Examples) > 0 {
		b.WriteString("\n## Examples\n\n")
		for i, e := range h.Examples {
			fmt.Fprintf(&b, "%d. %s:\n   `%s %s`\n", i+1, e.Meaning, program, e.Command)
		}
	}
	if len(h.Commands) > 0 {
		b.WriteString("\n## Commands\n\n| command | does |\n|---|---|\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", sub.Name(), fileName(sub), sub.Short)
			}
		}
	}
	table(&b, "\n## Options\n\n", "option", h.Options)
	table(&b, "\n## Common options\n\n", "option", h.Common)
	if h.Name != cmd.Root().Name() {
		b.WriteString("\nEnvironment variables: [environment](../environment.md). All commands: [reference](README.md).\n")
	}
	return b.String()
}

func environment(h view.Help) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Environment variables\n\nThese environment variables configure the plug-in. %s\n\n`%s help environment` prints the same list, "+
		"from which `make docs` generates this page.\n", h.Long, program)
	table(&b, "\n", "variable", h.Variables)
	return b.String()
}

func table(b *strings.Builder, head, term string, list []view.Entry) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "%s| %s | meaning |\n|---|---|\n", head, term)
	for _, e := range list {
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.ReplaceAll(e.Term, "|", `\|`), inCode(meaning(e)))
	}
}

// meaning returns a flag's text without the backquotes around the name of its value.
func meaning(e view.Entry) string { return strings.ReplaceAll(e.Meaning.String(), "`", "") }

// inCode formats 'commands in quotes' as Markdown code.
func inCode(s string) string { return quoted.ReplaceAllString(s, "$1`$2`") }

// quoted matches 'words in quotes', but not apostrophes.
var quoted = regexp.MustCompile(`(^|[\s(])'([^']+)'`)

// man returns a command's manual page in the Markdown dialect of md2man. It shows the standalone program.
func man(h view.Help, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%% %q \"1\" \"\" \"fn-runtime %s\" \"Lithops runtimes\"\n# NAME\n%s - %s\n\n# SYNOPSIS\n", strings.ToUpper(name), plugin.Version, name, strings.TrimSuffix(h.Short.String(), "."))
	for _, u := range h.Usage {
		fmt.Fprintf(&b, "**%s**\n\n", escape(u))
	}
	if !h.Long.IsZero() {
		fmt.Fprintf(&b, "# DESCRIPTION\n%s\n\n", escape(h.Long.String()))
	}
	terms(&b, "# COMMANDS\n", h.Commands)
	terms(&b, "# OPTIONS\n", h.Options)
	terms(&b, "# COMMON OPTIONS\n", h.Common)
	if h.Name == commands.Name {
		terms(&b, "# ENVIRONMENT\n", commands.Environment().Variables)
	}
	for i, e := range h.Examples {
		if i == 0 {
			b.WriteString("# EXAMPLES\n")
		}
		fmt.Fprintf(&b, "%s:\n\n    %s %s\n\n", escape(e.Meaning.String()), commands.Name, e.Command)
	}
	return strings.ReplaceAll(b.String(), program, commands.Name)
}

func terms(b *strings.Builder, head string, list []view.Entry) {
	for i, e := range list {
		if i == 0 {
			b.WriteString(head)
		}
		fmt.Fprintf(b, "**%s**\n:   %s\n\n", escape(e.Term), escape(meaning(e)))
	}
}

// escape escapes the characters of a text that Markdown would interpret.
func escape(s string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "]", `\]`, "|", `\|`).Replace(s)
}
