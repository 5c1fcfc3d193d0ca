package commands

import (
	goruntime "runtime"

	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

func newVersion(f *Factory) *cobra.Command {
	var licenses bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: i18n.M("Show the version of the plug-in.").ID,
		Example: example(i18n.M("Show the version for a script"), "version --output json") +
			example(i18n.M("Show the licences of what the program is made of"), "version --licenses"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(*cobra.Command, []string) error {
			doc := versionDocument(f)
			switch {
			case !licenses:
			case f.View.JSON:
				doc.Licenses = f.Notice
			default:
				return f.View.Raw([]byte(f.Notice))
			}
			return f.View.Version(doc)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &licenses, "licenses", "", i18n.M("Print the licences of all that the program is made of."))
	f.outputFlags(cmd)
	return cmd
}

func versionDocument(f *Factory) view.VersionDocument {
	return view.VersionDocument{Name: Name, Version: f.Version, Go: goruntime.Version(), Platform: goruntime.GOOS + "/" + goruntime.GOARCH}
}
