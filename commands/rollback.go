package commands

import (
	"context"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newRollback(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.RollbackRequest
	cmd := &cobra.Command{
		Use: "rollback (default | IMAGE[:TAG])", SuggestFor: []string{"undo", "revert"},
		Short: i18n.M("Roll back a runtime to its previous image.").ID,
		Long:  i18n.M("Registers a runtime with its previous image, pinned by digest. The registry must still have that image under the tag that 'build --pin' pushes. A second rollback undoes the first.").ID,
		Example: example(i18n.M("Undo an image update"), "rollback me/runtime:1.0") +
			example(i18n.M("Show the planned changes"), "rollback me/runtime:1.0 --dry-run"),
		Args: deployedName(false, i18n.M("default or an image")),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			need := connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}
			return f.change(cmd.Context(), change{target: &target, need: need, do: func(ctx context.Context, s *runtime.Service, _ confirm) (runtime.Result, error) {
				return s.Rollback(ctx, req)
			}})
		},
		ValidArgsFunction: f.completeRuntimes(&target, runtime.DefaultName),
	}
	memoryFlag(f, cmd, &target, &req.MemoryMB, i18n.M("Limit to the memory sizes `MB,...` of a runtime."))
	target.addChanging(f, cmd, &req.DryRun)
	return cmd
}
