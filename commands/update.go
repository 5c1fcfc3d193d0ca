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
		Short: i18n.M("Bring deployed runtimes to the client's Lithops code.").ID,
		Long:  i18n.M("Renews the code of deployed runtimes from the installed Lithops. Runtimes where nothing differs are left alone; those of other Lithops versions are reported and not touched.").ID,
		Example: example(i18n.M("Update every runtime of this client"), "update all") +
			example(i18n.M("Update one memory size and change its time limit"), "update me/runtime:1.0 -m 512 -t 300"),
		Args: deployedName(true, i18n.M("default, an image or all")),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Name = args[0]
			return update(cmd.Context(), f, o)
		},
		ValidArgsFunction: f.completeRuntimes(&o.target, runtime.DefaultName, runtime.AllName),
	}
	memoryFlag(f, cmd, &o.target, &o.req.MemoryMB, i18n.M("Only runtimes with one of the memory sizes `MB,...` given."))
	countFlag(cmd, &o.req.TimeoutS, "timeout", "t", maxTimeout, i18n.M("New time limit of a call in `SECONDS`."))
	boolFlag(cmd, &o.req.Force, "force", "f", i18n.M("Deploy again even where nothing differs."))
	o.target.addChanging(f, cmd, &o.req.DryRun)
	return cmd
}

func update(ctx context.Context, f *Factory, o *updateOptions) error {
	need := connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}
	return f.change(ctx, change{target: &o.target, need: need, partly: true, do: func(ctx context.Context, s *runtime.Service, _ confirm) (runtime.Result, error) {
		return s.Update(ctx, o.req)
	}})
}
