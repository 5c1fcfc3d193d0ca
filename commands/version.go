package commands

import (
	goruntime "runtime"

	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

func newVersion(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   i18n.M("Show the version of the plug-in.").ID,
		Example: example(i18n.M("Show the version for a script"), "version --output json"),
		Args:    arguments(0, 0, i18n.Message{}),
		RunE: func(*cobra.Command, []string) error {
			return f.View.Version(view.VersionDocument{
				Name: Name, Version: f.Version, Go: goruntime.Version(), Platform: goruntime.GOOS + "/" + goruntime.GOARCH,
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f.outputFlags(cmd)
	return cmd
}
