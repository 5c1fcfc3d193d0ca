package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
)

// Name is the name of the plug-in and the first word of its commands.
const Name = "fn-runtime"

// NewRoot returns the command tree. The metadata for the host, help and completion are all generated from it.
func NewRoot(f *Factory) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:     Name,
		Aliases: []string{"fnr"},
		Short:   i18n.M("Manage Lithops runtimes.").ID,
		Long:    i18n.M("Deploys runtimes for the Lithops Python client to IBM Cloud Code Engine, IBM Cloud Functions, your own Apache OpenWhisk, or an endpoint on this machine. 'ibmcloud fn-runtime help COMMAND' shows the help for a command. 'ibmcloud fn-runtime help environment' lists the environment variables.").ID,
		Example: example(i18n.M("Deploy the default runtime to the local endpoint"), "deploy default -b local") +
			example(i18n.M("List it"), "list -b local"),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if version && len(args) == 0 {
				return f.View.Version(versionDocument(f))
			}
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args)
		},
		Args:              cobra.ArbitraryArgs,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.PersistentFlags().BoolP("help", "h", false, i18n.M("Show help.").ID)
	boolFlag(root, &version, "version", "v", i18n.M("Show the version of the plug-in."))
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { f.View.Help(HelpOf(cmd), false) })
	root.SetHelpCommand(newHelp(f))
	root.SetOut(f.View.Out)
	root.SetErr(f.View.Err)
	root.AddCommand(
		newInit(f), newBuild(f), newDeploy(f), newUpdate(f), newRollback(f), newApply(f), newExport(f), newDelete(f), newPrune(f), newList(f), newShow(f), newInvoke(f), newRun(f),
		newLogs(f), newJobs(f), newDashboard(f),
		newClean(f), newConfig(f), newDoctor(f), newLocal(f), newVersion(f), newCompletion(f),
	)
	root.InitDefaultHelpCmd() // cobra adds help only when it executes, but the metadata needs it earlier
	return root
}

// group returns a command that only has subcommands.
func group(use string, short i18n.Message) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short.ID, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
}
