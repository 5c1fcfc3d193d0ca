package plugin

import (
	"strings"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fn-runtime/commands"
)

// metadata returns the description of the command tree for the host. A command with subcommands is a namespace of the
// host.
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

// describe adds a command, or a namespace and its commands, to m.
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

// flags returns the flags of a command for the host, like the conversion function of the SDK, but without the
// backquotes that mark the name of a value in pflag.
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
