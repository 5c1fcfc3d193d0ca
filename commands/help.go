package commands

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

func newHelp(f *Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | environment]",
		Short: i18n.M("Show help for a command or the environment variables.").ID,
		Example: example(i18n.M("Show help for a command"), "help deploy") +
			example(i18n.M("Show the environment variables"), "help environment"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == environmentTopic {
				f.View.Help(Environment(), false)
				return nil
			}
			topic := cmd.Root()
			for i, name := range args {
				next, _, err := topic.Find([]string{name})
				if err != nil || next == topic {
					return unknownCommand(topic, args[i:])
				}
				topic = next
			}
			return topic.Help()
		},
		ValidArgsFunction: helpTopics,
	}
}

// helpTopics completes the names of commands, one level at a time.
func helpTopics(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	topic, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, sub := range topic.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name()+"\t"+sub.Short)
		}
	}
	if !topic.HasParent() {
		names = append(names, environmentTopic)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// shortUsage returns the usage line of a command with [OPTION]... instead of its options.
func shortUsage(cmd *cobra.Command) string {
	words := []string{"ibmcloud", cmd.CommandPath()}
	if cmd.HasAvailableSubCommands() {
		return strings.Join(append(words, "COMMAND"), " ")
	}
	_, args, _ := strings.Cut(cmd.Use, " ")
	if strings.HasPrefix(args, "-- ") { // options come before the "--"
		words = append(words, "[OPTION]...", args)
	} else {
		words = append(words, args, "[OPTION]...")
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// Usage returns the usage line of a command with all its flags in brackets.
func Usage(cmd *cobra.Command) string {
	words, last := []string{"ibmcloud", cmd.Root().Name()}, ""
	if cmd.HasParent() {
		path := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		words = append(words, path)
		_, args, _ := strings.Cut(cmd.Use, " ")
		if strings.HasPrefix(args, "-- ") { // options come before the "--"
			args, last = "", args
		}
		if args != "" {
			words = append(words, args)
		}
	}
	if cmd.HasAvailableSubCommands() {
		return strings.Join(append(words, "COMMAND"), " ")
	}
	var others []string
	visitFlags(cmd, func(fl *pflag.Flag) {
		if isCommon(fl) {
			others = append(others, "["+flagTerm(fl)+"]")
		} else {
			words = append(words, "["+flagTerm(fl)+"]")
		}
	})
	if words = append(words, others...); last != "" {
		words = append(words, last)
	}
	return strings.Join(words, " ")
}

// visitFlags calls fn for each flag that help and metadata show, sorted by name.
func visitFlags(cmd *cobra.Command, fn func(*pflag.Flag)) {
	cmd.Flags().VisitAll(func(fl *pflag.Flag) {
		if fl.Name != "help" && !fl.Hidden {
			fn(fl)
		}
	})
}

// flagTerm returns the names of a flag and its value for help, such as "-m, --memory MB".
func flagTerm(fl *pflag.Flag) string {
	s := "--" + fl.Name
	if fl.Shorthand != "" {
		s = "-" + fl.Shorthand + ", " + s
	}
	if value, _ := pflag.UnquoteUsage(fl); value != "" {
		s += " " + value
	}
	return s
}

// common is the annotation of flags that most commands have. Help shows them in a separate section.
const common = "common"

func markCommon(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		_ = cmd.Flags().SetAnnotation(name, common, nil)
	}
}

func isCommon(fl *pflag.Flag) bool {
	_, ok := fl.Annotations[common]
	return ok
}

// HelpOf returns the help of a command. The reference and the man pages are generated from it too.
func HelpOf(cmd *cobra.Command) view.Help {
	h := view.Help{Name: cmd.Root().Name(), Short: i18n.M(cmd.Short), Long: i18n.M(cmd.Long), Usage: []string{Usage(cmd)}}
	if cmd.HasParent() {
		h.Name = strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		h.Aliases = cmd.Aliases
	}
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		if meaning, command, ok := strings.Cut(line, exampleSeparator); ok {
			h.Examples = append(h.Examples, view.Example{Meaning: i18n.M(meaning), Command: command})
		}
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			h.Commands = append(h.Commands, view.Entry{Term: sub.Name(), Meaning: i18n.M(sub.Short)})
		}
	}
	visitFlags(cmd, func(fl *pflag.Flag) {
		e := view.Entry{Term: flagTerm(fl), Meaning: i18n.M(fl.Usage)}
		if isCommon(fl) {
			h.Common = append(h.Common, e)
		} else {
			h.Options = append(h.Options, e)
		}
	})
	return h
}

// exampleSeparator separates the description of an example from its command line in cobra's Example string.
const exampleSeparator = ": $ "

// example returns one line of a command's examples. command is the command line without the name of the program.
func example(meaning i18n.Message, command string) string {
	return meaning.ID + exampleSeparator + command + "\n"
}
