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
		Example: example(i18n.M("Show the version as JSON"), "version --output json") +
			example(i18n.M("Show the licenses of the program's components"), "version --licenses"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(*cobra.Command, []string) error {
			doc := versionDocument(f)
			if !licenses {
				return f.View.Version(doc)
			}
			licenses, err := f.Notice()
			switch {
			case err != nil:
				return err
			case f.View.JSON:
				doc.Licenses = licenses
				return f.View.Version(doc)
			}
			return f.View.Raw([]byte(licenses))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &licenses, "licenses", "", i18n.M("Print the licenses of all components of the program."))
	f.outputFlags(cmd)
	return cmd
}

func versionDocument(f *Factory) view.VersionDocument {
	return view.VersionDocument{Name: Name, Version: f.Version, Go: goruntime.Version(), Platform: goruntime.GOOS + "/" + goruntime.GOARCH}
}
