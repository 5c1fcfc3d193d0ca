package plugin

import (
	"strings"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fn-runtime/commands"
)

// metadata describes the command tree to the host. A command that only has others below it is a namespace of the host.
func metadata(root *cobra.Command) sdk.PluginMetadata {
	m := sdk.PluginMetadata{
		Name:                     root.Name(),
		Aliases:                  root.Aliases,
		Version:                  versionType(Version),
		MinCliVersion:            versionType(minCLI),
		PrivateEndpointSupported: true,
		IsAccessFromVPC:          true,
		IsCobraPlugin:            true,
		DelegateBashCompletion:   true,
		Namespaces:               []sdk.Namespace{{Name: root.Name(), Aliases: root.Aliases, Description: root.Short}},
	}
	for _, cmd := range root.Commands() {
		describe(&m, root.Name(), cmd)
	}
	return m
}

// describe adds a command, or a namespace with the commands below it.
func describe(m *sdk.PluginMetadata, namespace string, cmd *cobra.Command) {
	if cmd.HasSubCommands() {
		m.Namespaces = append(m.Namespaces, sdk.Namespace{ParentName: namespace, Name: cmd.Name(), Description: cmd.Short})
		full := namespace + " " + cmd.Name()
		for _, sub := range cmd.Commands() {
			describe(m, full, sub)
		}
		return
	}
	m.Commands = append(m.Commands, sdk.Command{
		Namespace: namespace, Name: cmd.Name(), Aliases: cmd.Aliases, Description: cmd.Short,
		Usage: commands.Usage(cmd), Flags: flags(cmd), Hidden: cmd.Hidden,
	})
}

// flags are those of the SDK's own conversion, with the words of pflag's `VALUE` marks but without the marks.
func flags(cmd *cobra.Command) []sdk.Flag {
	list := []sdk.Flag{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		name := f.Name
		if f.Shorthand != "" {
			name = f.Shorthand + "," + f.Name
		}
		list = append(list, sdk.Flag{
			Name: name, Description: strings.ReplaceAll(f.Usage, "`", ""), HasValue: f.Value.Type() != "bool", Hidden: f.Hidden,
		})
	})
	return list
}
