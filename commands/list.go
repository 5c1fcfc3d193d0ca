package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newList(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.ListRequest
	cmd := &cobra.Command{
		Use:   "list [NAME]",
		Short: i18n.M("List runtimes and whether the client can use them.").ID,
		Long:  i18n.M("Lists every deployed runtime, with the state it is in for the installed Lithops client. NAME is a part of an image name, or default.").ID,
		Example: example(i18n.M("List all runtimes"), "list") +
			example(i18n.M("List the runtimes of one repository for a script"), "list me/ --output json"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := target.check(cmd); err != nil {
				return err
			}
			if len(args) == 1 {
				req.Name = args[0]
			}
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true})
			if err != nil {
				return err
			}
			list, err := s.List(cmd.Context(), req)
			if err != nil {
				return err
			}
			return f.View.Runtimes(list)
		},
		ValidArgsFunction: words("default"),
	}
	boolFlag(cmd, &req.AllKeys, "all-keys", "", i18n.M("List the runtimes of every user key."))
	target.add(cmd)
	target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}
