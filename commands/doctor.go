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
		Example: example(i18n.M("Check"), "doctor") +
			example(i18n.M("Fix problems that make the client hang"), "doctor --repair"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			need := connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true, Tolerant: true}
			answers := everywhere(cmd.Context(), f, &target, need, nil,
				func(ctx context.Context, s *runtime.Service, _ confirm) ([]runtime.Check, error) {
					return s.Doctor(ctx, repair)
				})
			if err := failures(answers); err != nil {
				return err
			}
			return f.checked(oneList(answers))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &repair, "repair", "", i18n.M("Fix metadata, caches, unusable runtimes and leftover job resources."))
	target.add(f, cmd)
	target.addRegions(cmd)
	f.outputFlags(cmd)
	return cmd
}

// checked shows the checks; failed ones make the command fail.
func (f *Factory) checked(checks []runtime.Check) error {
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

// ofThisMachine are the checks that come out the same in every region.
var ofThisMachine = []string{"python", "lithops", "docker"}

// oneList puts the checks of all regions together; those of this machine are in it once.
func oneList(answers []answer[[]runtime.Check]) []runtime.Check {
	var all []runtime.Check
	for i, a := range answers {
		for _, c := range a.value {
			if slices.Contains(ofThisMachine, c.Name) {
				if i == 0 {
					all = append(all, c)
				}
				continue
			}
			c.Region = a.region
			all = append(all, c)
		}
	}
	return all
}
