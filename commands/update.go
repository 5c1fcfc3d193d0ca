package commands

import (
	"context"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

type updateOptions struct {
	target targetFlags
	req    runtime.UpdateRequest
}

func newUpdate(f *Factory) *cobra.Command {
	o := &updateOptions{}
	cmd := &cobra.Command{
		Use:   "update (default | IMAGE[:TAG] | all)",
		Short: i18n.M("Update the Lithops code of deployed runtimes.").ID,
		Long:  i18n.M("Updates the code of deployed runtimes from the installed Lithops release. Runtimes that are up to date stay unchanged. Runtimes of other Lithops releases are reported but not updated.").ID,
		Example: example(i18n.M("Update all runtimes of this client"), "update all") +
			example(i18n.M("Update one memory size and change its timeout"), "update me/runtime:1.0 -m 512 -t 300"),
		Args: deployedName(true, i18n.M("default, an image or all")),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Name = args[0]
			return update(cmd.Context(), f, o)
		},
		ValidArgsFunction: f.completeRuntimes(&o.target, runtime.DefaultName, runtime.AllName),
	}
	memoryFlag(f, cmd, &o.target, &o.req.MemoryMB, i18n.M("Limit to the memory sizes `MB,...` of a runtime."))
	countFlag(cmd, &o.req.TimeoutS, "timeout", "t", maxTimeout, i18n.M("New timeout of a call in `SECONDS`."))
	boolFlag(cmd, &o.req.Force, "force", "f", i18n.M("Deploy even if nothing differs."))
	o.target.addChanging(f, cmd, &o.req.DryRun)
	return cmd
}

func update(ctx context.Context, f *Factory, o *updateOptions) error {
	need := connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}
	return f.change(ctx, change{target: &o.target, need: need, allowMissing: true, do: func(ctx context.Context, s *runtime.Service, _ confirm) (runtime.Result, error) {
		return s.Update(ctx, o.req)
	}})
}
