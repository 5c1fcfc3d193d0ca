package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
)

func newDoctor(f *Factory) *cobra.Command {
	var target targetFlags
	var repair bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: i18n.M("Check every precondition and say the remedy.").ID,
		Long:  i18n.M("Checks the session, region, namespace, bucket, caches, container engine, Python and Lithops. Repairs only what is the plug-in's own: metadata without a runtime and stale caches.").ID,
		Example: example(i18n.M("Check"), "doctor") +
			example(i18n.M("Repair what makes the client hang"), "doctor --repair"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := target.check(cmd); err != nil {
				return err
			}
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true, Tolerant: true})
			if err != nil {
				return err
			}
			checks, err := s.Doctor(cmd.Context(), repair)
			if err != nil {
				return err
			}
			return f.checked(checks)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &repair, "repair", "", i18n.M("Remove metadata without a runtime and stale caches."))
	target.add(cmd)
	f.outputFlags(cmd)
	return cmd
}

// checked shows the checks; failed ones make the command fail.
func (f *Factory) checked(checks []runtime.Check) error {
	failed := 0
	for _, c := range checks {
		if c.Status == runtime.CheckFailed {
			failed++
		}
	}
	if !f.View.JSON {
		f.View.Checks(checks)
	}
	doc := f.View.ChecksDocument(checks)
	if failed > 0 {
		return &partial{
			cause: fault.New(fault.Failed, i18n.N("{{.Count}} checks failed.", failed), i18n.M("Each failed check above says its remedy.")),
			doc:   doc,
		}
	}
	if f.View.JSON {
		return f.View.Document(doc)
	}
	return nil
}
