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
		Long:  i18n.M("Deletes the runtimes, with their metadata and cache entries, that were deployed for other releases of Lithops than the installed one. Those of other user keys stay.").ID,
		Example: example(i18n.M("Show what would be deleted"), "prune --dry-run") +
			example(i18n.M("Keep those of a release that colleagues use"), "prune --keep 3.6.0") +
			example(i18n.M("Make room on this machine, too"), "prune --images -b local"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exclusive(cmd, "images", "regions"); err != nil { // what another region's runtimes run is not known
				return err
			}
			c := change{
				target: &target, need: connect.Options{NeedStore: true, NeedInstall: true, NeedImages: req.Images}, refused: i18n.M("Nothing was deleted."),
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
	cmd.Flags().StringSliceVar(&req.Keep, "keep", nil, i18n.M("Keep also those of these releases, `VERSION,...`.").ID)
	boolFlag(cmd, &req.Images, "images", "", i18n.M("Delete also the images of this machine's container engine that a newer build has superseded and no runtime uses."))
	boolFlag(cmd, &force, "force", "f", i18n.M("Delete without confirmation."))
	target.addChanging(f, cmd, &req.DryRun)
	return cmd
}

// pruneQuestion asks whether the runtimes and images of a plan are to be deleted.
func pruneQuestion(plan runtime.Result) i18n.Message {
	if images := deletions(plan, runtime.KindImage); images > 0 {
		return i18n.M("Delete runtimes: {{.Runtimes}}, superseded images: {{.Images}}?", "Runtimes", deletions(plan, runtime.KindRuntime), "Images", images)
	}
	return deleteRuntimes(plan)
}
