package commands

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

type cleanOptions struct {
	target targetFlags
	req    runtime.CleanRequest
	force  bool
}

func newClean(f *Factory) *cobra.Command {
	o := &cleanOptions{}
	cmd := &cobra.Command{
		Use:   "clean",
		Short: i18n.M("Delete all Lithops data except its configuration.").ID,
		Long:  i18n.M("Deletes runtimes, packages, metadata and job objects, and removes caches and job files from this machine. Everything outside the Lithops prefixes stays untouched, including configurations and the buckets of the storage backend 'localhost'.").ID,
		Example: example(i18n.M("Show what would be deleted"), "clean --dry-run") +
			example(i18n.M("Delete only job objects older than a week"), "clean --jobs-only --older-than 7d -f") +
			example(i18n.M("Delete everything, including the namespace"), "clean --all"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, other := range []string{"jobs-only", "older-than"} {
				if err := exclusive(cmd, "all", other); err != nil {
					return err
				}
			}
			return clean(cmd.Context(), f, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &o.req.All, "all", "a", i18n.M("Also delete the namespace or project."))
	boolFlag(cmd, &o.req.JobsOnly, "jobs-only", "", i18n.M("Delete only job objects."))
	cmd.Flags().Var(ageValue{&o.req.OlderThan}, "older-than", i18n.M("Delete only objects last changed more than `AGE` ago, such as 36h or 7d.").ID)
	boolFlag(cmd, &o.force, "force", "f", i18n.M("Delete without confirmation."))
	o.target.addChanging(f, cmd, &o.req.DryRun)
	return cmd
}

func clean(ctx context.Context, f *Factory, o *cleanOptions) error {
	c := change{
		target: &o.target, need: connect.Options{NeedStore: true, NeedInstall: true}, declined: i18n.M("Nothing was deleted."),
		do: func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error) {
			req := o.req
			req.Confirm = confirm
			return s.Clean(ctx, req)
		},
	}
	if !o.force && !o.req.DryRun {
		c.question = func(plan runtime.Result) i18n.Message {
			if o.req.All {
				if slices.ContainsFunc(plan.Items, func(it runtime.Item) bool { return it.Term.Word == "project" }) {
					return i18n.M("Delete all of these and the project?")
				}
				return i18n.M("Delete all of these and the namespace?")
			}
			return i18n.M("Delete all of these?")
		}
	}
	return f.change(ctx, c)
}
