package commands

import (
	"context"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

type deleteOptions struct {
	target targetFlags
	req    runtime.DeleteRequest
	force  bool
}

func newDelete(f *Factory) *cobra.Command {
	o := &deleteOptions{}
	cmd := &cobra.Command{
		Use:   "delete (default | IMAGE[:TAG] | all)",
		Short: i18n.M("Delete runtimes, their metadata and cache entries.").ID,
		Long:  i18n.M("Removes the metadata first and the action last, so that the client never finds one without the other. Fails when anything could not be deleted, and says what.").ID,
		Example: example(i18n.M("Delete a runtime in one memory size"), "delete me/runtime:1.0 -m 512") +
			example(i18n.M("Delete every runtime of an old Lithops without being asked"), "delete all -v 2.6.0 -f"),
		Args: arguments(1, 1, i18n.M("default, an image or all")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.target.check(cmd); err != nil {
				return err
			}
			o.req.Name = args[0]
			return remove(cmd.Context(), f, o)
		},
		ValidArgsFunction: words("default", "all"),
	}
	memoryFlag(cmd, &o.req.MemoryMB, i18n.M("Only runtimes with the memory size `MB,...`."))
	stringFlag(cmd, &o.req.LithopsVersion, "lithops-version", "v", i18n.M("Only runtimes of this Lithops `VERSION`."))
	boolFlag(cmd, &o.force, "force", "f", i18n.M("Delete without confirmation."))
	boolFlag(cmd, &o.req.DryRun, "dry-run", "", i18n.M("Show what would be done and change nothing."))
	o.target.add(cmd)
	o.target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}

func remove(ctx context.Context, f *Factory, o *deleteOptions) (err error) {
	var saidNo bool
	o.req.Confirm, err = f.asking(ctx, o.force, o.req.DryRun, func(plan runtime.Result) i18n.Message {
		return i18n.N("Delete {{.Count}} runtimes with their metadata?", max(deletions(plan, "action"), deletions(plan, "metadata")))
	}, &saidNo)
	if err != nil {
		return err
	}
	s, err := f.open(ctx, &o.target, connect.Options{NeedStore: true, NeedInstall: true})
	if err != nil {
		return err
	}
	result, err := s.Delete(ctx, o.req)
	if saidNo {
		f.View.Say(i18n.M("Nothing was deleted."))
		return nil
	}
	return f.finish(result, err)
}
