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
		Long:  i18n.M("Prints the configuration with which the Lithops client works on the same backend, namespace and bucket. Where a configuration is found it is that one, with what the options say. Secrets are left out unless they are asked for.").ID,
		Example: example(i18n.M("Make the client use this machine's own endpoint"), "lithops-config -b local -o .lithops_config") +
			example(i18n.M("Show what the client should use"), "lithops-config"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("output-file") && strings.TrimSpace(file) == "" {
				return usage(i18n.M("The value of '{{.Flag}}' is empty.", "Flag", "--output-file"))
			}
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true})
			if err != nil {
				return err
			}
			req.Program = f.View.Called()
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
	stringFlag(cmd, &file, "output-file", "o", i18n.M("Write it into `FILE`, with its secrets, readable for you alone: what else is there stays, and a copy is kept."))
	boolFlag(cmd, &req.ShowSecrets, "show-secrets", "", i18n.M("Print API keys and passwords too."))
	target.add(f, cmd)
	f.outputFlags(cmd)
	return cmd
}
