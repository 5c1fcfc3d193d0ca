package commands

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
)

func newDoctor(f *Factory) *cobra.Command {
	var target targetFlags
	var repair bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: i18n.M("Check prerequisites and suggest fixes.").ID,
		Long:  i18n.M("Checks the session, region, namespace, bucket, caches, container engine, Python and Lithops. With '--repair', fixes metadata without a runtime, stale caches, runtimes whose metadata the client cannot use, and resources left by earlier jobs.").ID,
		Example: example(i18n.M("Check all prerequisites"), "doctor") +
			example(i18n.M("Fix problems that make the client hang"), "doctor --repair"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			need := connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true, Tolerant: true}
			results := forEachRegion(cmd.Context(), f, &target, need, nil,
				func(ctx context.Context, s *runtime.Service, _ confirm) ([]runtime.Check, error) {
					return s.Doctor(ctx, repair)
				})
			if err := joinErrors(results); err != nil {
				return err
			}
			return f.reportChecks(mergeChecks(results))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &repair, "repair", "", i18n.M("Fix metadata, caches, unusable runtimes and leftover job resources."))
	target.add(f, cmd)
	target.addRegions(cmd)
	f.outputFlags(cmd)
	return cmd
}

// reportChecks shows the checks. It returns an error if a check failed.
func (f *Factory) reportChecks(checks []runtime.Check) error {
	failed := 0
	for _, c := range checks {
		if c.Status == check.Failed {
			failed++
		}
	}
	if !f.View.JSON {
		f.View.Checks(checks)
	}
	doc := f.View.ChecksDocument(checks)
	if failed > 0 {
		return &partial{
			cause: fault.New(fault.Failed, i18n.N("{{.Count}} check failed.", "{{.Count}} checks failed.", failed), i18n.M("Apply the fix that each failed check above suggests.")),
			doc:   doc,
		}
	}
	if f.View.JSON {
		return f.View.Document(doc)
	}
	return nil
}

// machineChecks are the checks of this machine, which have the same result in every region.
var machineChecks = []string{"python", "lithops", "docker"}

// mergeChecks merges the checks of all regions. It includes the checks of this machine once.
func mergeChecks(results []regionResult[[]runtime.Check]) []runtime.Check {
	var all []runtime.Check
	for i, r := range results {
		for _, c := range r.value {
			if slices.Contains(machineChecks, c.Name) {
				if i == 0 {
					all = append(all, c)
				}
				continue
			}
			c.Region = r.region
			all = append(all, c)
		}
	}
	return all
}
