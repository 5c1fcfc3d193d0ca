package commands

import (
	"context"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newPrune(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.PruneRequest
	var force bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: i18n.M("Delete runtimes of other Lithops releases.").ID,
		Long:  i18n.M("Deletes the runtimes, metadata and cache entries of Lithops releases other than the installed one. Runtimes of other user keys are kept.").ID,
		Example: example(i18n.M("Show what would be deleted"), "prune --dry-run") +
			example(i18n.M("Keep runtimes of a release that colleagues use"), "prune --keep 3.6.0") +
			example(i18n.M("Also free space on this machine"), "prune --images -b local"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exclusive(cmd, "images", "regions"); err != nil { // the images that runtimes in other regions use are not known
				return err
			}
			c := change{
				target: &target, need: connect.Options{NeedStore: true, NeedInstall: true, NeedImages: req.Images}, declined: i18n.M("Nothing was deleted."),
				do: func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error) {
					one := req
					one.Confirm = confirm
					return s.Prune(ctx, one)
				},
			}
			if !force && !req.DryRun {
				c.question = pruneQuestion
			}
			return f.change(cmd.Context(), c)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringSliceVar(&req.Keep, "keep", nil, i18n.M("Also keep the releases `VERSION,...` of Lithops.").ID)
	boolFlag(cmd, &req.Images, "images", "", i18n.M("Also delete images from this machine's container engine if a newer build superseded them and no runtime uses them."))
	boolFlag(cmd, &force, "force", "f", i18n.M("Delete without confirmation."))
	target.addChanging(f, cmd, &req.DryRun)
	return cmd
}

// pruneQuestion returns the question whether to delete the runtimes and images of a plan.
func pruneQuestion(plan runtime.Result) i18n.Message {
	if images := deletions(plan, runtime.KindImage); images > 0 {
		return i18n.M("Delete runtimes: {{.Runtimes}}, superseded images: {{.Images}}?", "Runtimes", deletions(plan, runtime.KindRuntime), "Images", images)
	}
	return deleteQuestion(plan)
}
