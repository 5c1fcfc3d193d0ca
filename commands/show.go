package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newShow(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.ShowRequest
	cmd := &cobra.Command{
		SuggestFor: []string{"describe", "inspect", "info"},
		Use:        "show (default | IMAGE[:TAG])",
		Short:      i18n.M("Show all details of a runtime and any drift.").ID,
		Long:       i18n.M("Shows the name, digest, limits, versions, modules and metadata of a runtime, and every difference from what the client would deploy now.").ID,
		Example:    example(i18n.M("Show the default runtime"), "show default"),
		Args:       deployedName(false, i18n.M("default or an image")),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true})
			if err != nil {
				return err
			}
			list, err := s.Show(cmd.Context(), req)
			if err != nil {
				return err
			}
			return f.View.Details(list)
		},
		ValidArgsFunction: f.completeRuntimes(&target, runtime.DefaultName),
	}
	countFlag(cmd, &req.MemoryMB, "memory", "m", maxMemory, i18n.M("Show only the runtime with this memory in `MB`."))
	target.add(f, cmd)
	target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}
