package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime/text"
)

func newCompletion(f *Factory) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:     "completion (bash | zsh | fish | powershell)",
		Short:   i18n.M("Print a completion script for a shell.").ID,
		Long:    i18n.M("Prints the completion script for the standalone fn-runtime binary. Within the IBM Cloud CLI, the completion of the CLI queries the plug-in.").ID,
		Example: example(i18n.M("Write the bash script to a file"), "completion bash > fn-runtime.bash"),
		Args:    arguments(1, 1, i18n.M("the name of a shell")),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), f.View.Out
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			if near := text.Nearest(args[0], shells); near != "" {
				return usage(i18n.M("Unknown shell '{{.Shell}}'. Did you mean '{{.Near}}'?", "Shell", args[0], "Near", near))
			}
			return usage(i18n.M("Unknown shell '{{.Shell}}'.", "Shell", args[0]))
		},
		ValidArgsFunction: completeFirst(shells...),
	}
}
