// Package plugin is the host's side: it tells the IBM Cloud CLI what there is, and tells the commands what the CLI
// knows - session, locale, trace, colour.
//
// What may go in: the CLI SDK and what is made from it. What may not: commands, runtimes. Nothing below imports it.
package plugin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/commands"
	"fn-runtime/commands/view"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
)

// Main runs the process: with the arguments that the host gives (its namespace is in the environment), or by itself.
// It returns the exit status.
func Main(args []string) int {
	p := &plugin{}
	if len(args) == 1 && args[0] == "SendMetadata" {
		sdk.StartWithArgs(p, args)
		return 0
	}
	if len(args) > 0 && args[0] == "SendCompletion" {
		return complete(args[1:])
	}
	ctx, stop := interruptible(os.Stderr)
	defer stop()
	return p.run(ctx, args)
}

// plugin implements sdk.Plugin.
type plugin struct{}

// GetMetadata describes the plug-in to the host.
func (p *plugin) GetMetadata() sdk.PluginMetadata { return Metadata() }

// Metadata describes the plug-in to the host, and to those who publish it.
func Metadata() sdk.PluginMetadata {
	return metadata(commands.NewRoot(&commands.Factory{View: &view.View{}, Version: Version}))
}

// Run is how the SDK runs a command; Main does the same with an exit status.
func (p *plugin) Run(_ sdk.PluginContext, args []string) { os.Exit(Main(args)) }

func (p *plugin) run(ctx context.Context, args []string) int {
	args = withNamespace(os.Getenv("IBMCLOUD_PLUGIN_NAMESPACE"), args)
	f, done, err := newFactory(commands.Completing(args), commands.NeedsSession(args))
	defer done()
	if err != nil {
		f.View.Fail(err, nil)
		return 1
	}
	return commands.Run(ctx, f, args)
}

// withNamespace puts the nested part of the host's namespace before the command: the host runs 'fn-runtime local
// start' as namespace "fn-runtime local" and arguments ["start"].
func withNamespace(namespace string, args []string) []string {
	words := strings.Fields(namespace)
	if len(words) < 2 {
		return args
	}
	return append(words[1:len(words):len(words)], args...)
}

// newFactory puts together what the commands need. The function returned closes what was opened. With an error the
// factory is good enough to show it. silent leaves the trace out: completion must write nothing to the screen. Without
// session the CLI's configuration is not read.
func newFactory(silent, session bool) (*commands.Factory, func(), error) {
	streams := view.System()
	f := &commands.Factory{View: &view.View{Streams: streams}, Version: Version, Notice: notice, Service: connect.Open}
	host, err := readHost(session)
	f.View.Texts = host.texts
	f.View.OutColour = view.Colour(host.colour, streams.OutTTY, os.Getenv)
	f.View.ErrColour = view.Colour(host.colour, streams.ErrTTY, os.Getenv)
	f.View.Quiet = os.Getenv("IBMCLOUD_QUIET") == "true"
	if os.Getenv("IBMCLOUD_PLUGIN_NAMESPACE") == "" && len(os.Args) > 0 {
		f.View.Program = asTyped(os.Args[0])
	}
	if err != nil {
		return f, func() {}, err
	}
	if silent {
		host.trace = ""
	}
	trace, err := openTrace(host.trace)
	if err != nil {
		return f, func() {}, err
	}
	host.Trace = trace.writer // the session writes there too
	f.Host = host.Host
	return f, trace.close, nil
}

// asTyped is how a user would call this program again: by its name alone where the path finds it.
func asTyped(program string) string {
	name := filepath.Base(program)
	if found, err := exec.LookPath(name); err == nil && found == program {
		return name
	}
	return program
}

// recovered turns the panics with which the SDK reports an unreadable configuration into an error.
func recovered(file string, err *error) {
	if r := recover(); r != nil {
		text := fmt.Sprint(r)
		if !strings.HasPrefix(text, "configuration error:") {
			panic(r)
		}
		*err = unreadable(fault.Invalid, file, strings.TrimSpace(strings.TrimPrefix(text, "configuration error:")))
	}
}
