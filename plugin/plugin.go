// Package plugin integrates the commands with the IBM Cloud CLI, which is called the host here. It describes the
// commands to the host, and passes the session, locale, trace and color settings of the host to the commands.
//
// The package contains all code that uses the SDK of the CLI. It does not contain commands or decisions about runtimes.
// No package of commands or runtime imports it.
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

// Main runs the program as a plug-in of the host or standalone, and returns the exit status. The host passes the
// namespace of the command in the environment.
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

// GetMetadata returns the description of the plug-in for the host.
func (p *plugin) GetMetadata() sdk.PluginMetadata { return Metadata() }

// Metadata returns the description of the plug-in for the host and for the plug-in repository.
func Metadata() sdk.PluginMetadata {
	return metadata(commands.NewRoot(&commands.Factory{View: &view.View{}, Version: Version}))
}

// Run runs a command for the SDK. It is like Main, but ends the process with the exit status.
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

// withNamespace adds the nested part of the host's namespace to the arguments. The host runs 'fn-runtime local start'
// with the namespace "fn-runtime local" and the arguments ["start"].
func withNamespace(namespace string, args []string) []string {
	words := strings.Fields(namespace)
	if len(words) < 2 {
		return args
	}
	return append(words[1:len(words):len(words)], args...)
}

// newFactory returns the Factory for the commands. The returned function closes the trace file. If newFactory returns
// an error, the view of the Factory can still show it. silent disables the trace, because completion must not write to
// the screen. If session is false, newFactory does not read the configuration of the CLI.
func newFactory(silent, session bool) (*commands.Factory, func(), error) {
	streams := view.System()
	f := &commands.Factory{View: &view.View{Streams: streams}, Version: Version, Notice: notice, Service: connect.Open}
	host, err := readHost(session)
	f.View.Texts = host.texts
	f.View.OutColor = view.Color(host.color, streams.OutTTY, os.Getenv)
	f.View.ErrColor = view.Color(host.color, streams.ErrTTY, os.Getenv)
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
	host.Trace = trace.writer // requests of the session are traced too
	f.Host = host.Host
	return f, trace.close, nil
}

// asTyped returns the command that calls this program: the base name if the program is found in PATH, otherwise the
// path.
func asTyped(program string) string {
	name := filepath.Base(program)
	if found, err := exec.LookPath(name); err == nil && found == program {
		return name
	}
	return program
}

// recoverConfigError converts the panic that the SDK raises for an unreadable configuration into an error. It re-raises
// other panics.
func recoverConfigError(file string, err *error) {
	if r := recover(); r != nil {
		text := fmt.Sprint(r)
		if !strings.HasPrefix(text, "configuration error:") {
			panic(r)
		}
		*err = configError(fault.Invalid, file, strings.TrimSpace(strings.TrimPrefix(text, "configuration error:")))
	}
}
