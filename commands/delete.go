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
		Use: "delete (default | IMAGE[:TAG] | all)", Aliases: []string{"rm"}, SuggestFor: []string{"remove", "undeploy", "destroy", "uninstall"},
		Short: i18n.M("Delete runtimes, their metadata and cache entries.").ID,
		Long:  i18n.M("Deletes the metadata first and the runtime last, so that the client never finds metadata without a runtime. If anything cannot be deleted, the command fails and lists it.").ID,
		Example: example(i18n.M("Delete only one memory size of a runtime"), "delete me/runtime:1.0 -m 512") +
			example(i18n.M("Delete all runtimes of an old Lithops release without confirmation"), "delete all -v 2.6.0 -f"),
		Args: deployedName(true, i18n.M("default, an image or all")),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Name = args[0]
			return deleteRuntimes(cmd.Context(), f, o)
		},
		ValidArgsFunction: f.completeRuntimes(&o.target, runtime.DefaultName, runtime.AllName),
	}
	memoryFlag(f, cmd, &o.target, &o.req.MemoryMB, i18n.M("Limit to the memory sizes `MB,...` of a runtime."))
	stringFlag(cmd, &o.req.LithopsVersion, "lithops-version", "v", i18n.M("Limit to runtimes of this Lithops `VERSION`."))
	boolFlag(cmd, &o.force, "force", "f", i18n.M("Delete without confirmation."))
	o.target.addChanging(f, cmd, &o.req.DryRun)
	return cmd
}

func deleteRuntimes(ctx context.Context, f *Factory, o *deleteOptions) error {
	c := change{
		target: &o.target, need: connect.Options{NeedStore: true, NeedInstall: true}, declined: i18n.M("Nothing was deleted."), allowMissing: true,
		do: func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error) {
			req := o.req
			req.Confirm = confirm
			return s.Delete(ctx, req)
		},
	}
	if !o.force && !o.req.DryRun {
		c.question = deleteQuestion
	}
	return f.change(ctx, c)
}

// deleteQuestion returns the question whether to delete the runtimes of a plan.
func deleteQuestion(plan runtime.Result) i18n.Message {
	return i18n.N("Delete {{.Count}} runtime with its metadata?", "Delete {{.Count}} runtimes with their metadata?", max(deletions(plan, runtime.KindRuntime), deletions(plan, runtime.KindMetadata)))
}
