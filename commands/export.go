package commands

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newExport(f *Factory) *cobra.Command {
	var target targetFlags
	cmd := &cobra.Command{
		Use:   "export [NAME]",
		Short: i18n.M("Print a declaration file of the deployed runtimes.").ID,
		Long:  i18n.M("Prints the runtimes deployed for the installed Lithops release as a declaration file. Applying this file with 'ibmcloud fn-runtime apply' changes nothing. NAME is part of an image name.").ID,
		Example: example(i18n.M("Keep deployed runtimes under version control"), "export > runtimes.yaml") +
			example(i18n.M("Export the runtimes of one repository"), "export me/"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true})
			if err != nil {
				return err
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			file, err := s.Export(cmd.Context(), name)
			if err != nil {
				return err
			}
			if f.View.JSON {
				return f.View.Document(file.Document())
			}
			var out bytes.Buffer
			fmt.Fprintf(&out, "# Runtimes deployed in %s. Deploy them again with '%s apply'.\n", s.Scope(), f.View.ProgramName())
			e := yaml.NewEncoder(&out)
			e.SetIndent(2)
			if err := e.Encode(file.Document()); err != nil {
				return err
			}
			return f.View.Raw(out.Bytes())
		},
		ValidArgsFunction: f.completeRuntimes(&target, runtime.DefaultName),
	}
	target.add(f, cmd)
	f.outputFlags(cmd)
	return cmd
}
