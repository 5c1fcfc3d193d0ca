package commands

import (
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newConfig(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.ConfigRequest
	var file string
	cmd := &cobra.Command{
		Use:   "lithops-config",
		Short: i18n.M("Print the Lithops configuration that matches this session.").ID,
		Long:  i18n.M("Prints a configuration that makes the Lithops client use the same backend, namespace and bucket as the plug-in. An existing configuration is printed with the options applied. Secrets are hidden unless you pass '--show-secrets'.").ID,
		Example: example(i18n.M("Configure the client for the local endpoint"), "lithops-config -b local -o .lithops_config") +
			example(i18n.M("Show the configuration for the client"), "lithops-config"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("output-file") && strings.TrimSpace(file) == "" {
				return usage(i18n.M("The value of '{{.Flag}}' is empty.", "Flag", "--output-file"))
			}
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true})
			if err != nil {
				return err
			}
			req.Program = f.View.ProgramName()
			if cmd.Flags().Changed("output-file") {
				done, err := s.WriteLithopsConfig(cmd.Context(), req, file)
				if err != nil {
					return err
				}
				exports := ""
				if s.Target.CABundle != "" {
					exports = s.Target.EnvCommand()
				}
				return f.View.ConfigWritten(done, exports)
			}
			data, err := s.LithopsConfig(cmd.Context(), req)
			if err != nil {
				return err
			}
			if !f.View.JSON {
				return f.View.Raw(data)
			}
			var doc map[string]any
			if err := yaml.Unmarshal(data, &doc); err != nil {
				return err
			}
			return f.View.Document(doc)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	stringFlag(cmd, &file, "output-file", "o", i18n.M("Write the configuration with secrets to `FILE`, readable only by you. Other settings in the file stay, and a copy of the old file is kept."))
	boolFlag(cmd, &req.ShowSecrets, "show-secrets", "", i18n.M("Also print API keys and passwords."))
	target.add(f, cmd)
	f.outputFlags(cmd)
	return cmd
}
