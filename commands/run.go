package commands

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/site"
)

// The exit statuses of the process.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitChanged     = 2 // with --detailed-exitcode, as terraform has it
	exitInterrupted = 130
)

// Run runs one command line and gives the exit status of the process. An interrupted ctx ends the command early.
func Run(ctx context.Context, f *Factory, args []string) int {
	root := NewRoot(f)
	root.SetArgs(args)
	if Completing(args) {
		translate(f.View.Texts, root)
	}
	cmd := root
	err := fault.Try(func() (err error) {
		cmd, err = root.ExecuteContextC(ctx)
		return err
	})
	if err == nil {
		return exitDone
	}
	if program := (exited{}); errors.As(err, &program) {
		return program.status
	}
	if word := wordFor(cmd, args); word != "" && fault.Is(err, fault.Usage) {
		err = unknownCommand(cmd, []string{word}) // its flags are unknown too, but that is not the reason
	}
	if wantsJSON(args) && cmd.Name() != runName { // also where parsing stopped before it came to --output
		f.View.JSON = true
	}
	if f.View.Filtered() {
		f.View.JSON = false
	}
	var doc any
	if p := (*partial)(nil); errors.As(err, &p) {
		err, doc = p.cause, p.doc
	}
	if ctx.Err() != nil && !fault.Is(err, fault.Interrupted) && doc == nil {
		err = errors.Join(err, ctx.Err())
	}
	switch {
	case fault.Is(err, fault.Usage) && !f.View.JSON:
		f.View.IncorrectUsage(err, shortUsage(cmd), helpCommand(cmd))
	case fault.Is(err, fault.Usage):
		f.View.Fail(withUsage(err, cmd), nil)
	default:
		f.View.Fail(err, doc)
	}
	return exitStatus(ctx, err)
}

// wordFor returns the argument that should have been a command below cmd, "" when there is none.
func wordFor(cmd *cobra.Command, args []string) string {
	depth := strings.Count(cmd.CommandPath(), " ")
	if !cmd.HasSubCommands() || len(args) <= depth {
		return ""
	}
	for _, a := range args[:depth+1] {
		if strings.HasPrefix(a, "-") {
			return ""
		}
	}
	return args[depth]
}

// exitStatus maps every error to its exit status.
func exitStatus(ctx context.Context, err error) int {
	switch {
	case ctx.Err() != nil || fault.Is(err, fault.Interrupted):
		return exitInterrupted
	case fault.Is(err, fault.Usage):
		return exitUsage
	}
	return exitFailed
}

// partial is the error of work that was done in part; JSON shows doc beside it.
type partial struct {
	cause error
	doc   any
}

func (p *partial) Error() string { return p.cause.Error() }
func (p *partial) Unwrap() error { return p.cause }

// usage is an error of the command line.
func usage(reason i18n.Message) error { return fault.New(fault.Usage, reason, i18n.Message{}) }

// withUsage stands for the help that JSON has no place for.
func withUsage(err error, cmd *cobra.Command) error {
	var f *fault.Fault
	if !errors.As(err, &f) || !f.Recovery.IsZero() {
		return err
	}
	help := *f
	help.Recovery = i18n.M("Run '{{.Command}}' to show the usage.", "Command", helpCommand(cmd))
	return &help
}

// helpCommand is the command line that shows the help of a command.
func helpCommand(cmd *cobra.Command) string { return "ibmcloud " + cmd.CommandPath() + " --help" }

// wantsJSON looks for --output json in arguments that may not be parsable.
func wantsJSON(args []string) bool {
	i := slices.Index(args, "--output")
	return slices.Contains(args, "--output=json") || i >= 0 && i+1 < len(args) && args[i+1] == "json"
}

// arguments checks the number of arguments before anything else happens; what says what they are.
func arguments(least, most int, what i18n.Message) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage(i18n.M("Missing argument: {{.What}}.", "What", what))
		case len(args) > most:
			return usage(i18n.M("Unexpected argument '{{.Argument}}'.", "Argument", args[most]))
		}
		if slices.Contains(args, "") {
			return usage(i18n.M("An argument is empty."))
		}
		return nil
	}
}

// runtimeName takes one argument, the name of a runtime, and checks it before anything is read or started.
func runtimeName(all bool, what i18n.Message) cobra.PositionalArgs {
	one := arguments(1, 1, what)
	return func(cmd *cobra.Command, args []string) error {
		if err := one(cmd, args); err != nil {
			return err
		}
		return site.CheckName(args[0], all)
	}
}

// deployedName is runtimeName for a runtime that is there, which may also be named by its digest.
func deployedName(all bool, what i18n.Message) cobra.PositionalArgs {
	one := arguments(1, 1, what)
	return func(cmd *cobra.Command, args []string) error {
		if err := one(cmd, args); err != nil {
			return err
		}
		return site.CheckDeployed(args[0], all)
	}
}
