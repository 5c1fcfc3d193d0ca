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
	exitChanged     = 2 // with --detailed-exitcode, as in terraform
	exitInterrupted = 130
)

// Run runs one command line and returns the exit status of the process. Canceling ctx interrupts the command.
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
	if exit := (exitError{}); errors.As(err, &exit) {
		return exit.status
	}
	if word := unknownWord(cmd, args); word != "" && fault.Is(err, fault.Usage) {
		err = unknownCommand(cmd, []string{word}) // an unknown command has only unknown flags
	}
	if wantsJSON(args) && cmd.Name() != runName { // parsing may have failed before --output
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

// unknownWord returns the argument in the position of a subcommand of cmd. It returns "" if there is none.
func unknownWord(cmd *cobra.Command, args []string) string {
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

// exitStatus returns the exit status for an error.
func exitStatus(ctx context.Context, err error) int {
	switch {
	case ctx.Err() != nil || fault.Is(err, fault.Interrupted):
		return exitInterrupted
	case fault.Is(err, fault.Usage):
		return exitUsage
	}
	return exitFailed
}

// partial is the error of an operation that completed only some of its steps. The JSON output contains the fields of
// doc in addition to the error.
type partial struct {
	cause error
	doc   any
}

func (p *partial) Error() string { return p.cause.Error() }
func (p *partial) Unwrap() error { return p.cause }

// usage returns a usage error.
func usage(reason i18n.Message) error { return fault.New(fault.Usage, reason, i18n.Message{}) }

// withUsage returns the error with a recovery that names the help command, because JSON output contains no usage text.
func withUsage(err error, cmd *cobra.Command) error {
	var f *fault.Fault
	if !errors.As(err, &f) || !f.Recovery.IsZero() {
		return err
	}
	help := *f
	help.Recovery = i18n.M("Run '{{.Command}}' to show the usage.", "Command", helpCommand(cmd))
	return &help
}

// helpCommand returns the command line that shows the help of a command.
func helpCommand(cmd *cobra.Command) string { return "ibmcloud " + cmd.CommandPath() + " --help" }

// wantsJSON reports whether the arguments, which may not be parsable, contain --output json.
func wantsJSON(args []string) bool {
	i := slices.Index(args, "--output")
	return slices.Contains(args, "--output=json") || i >= 0 && i+1 < len(args) && args[i+1] == "json"
}

// arguments returns a check of the number of arguments. what describes the arguments in the error message. Cobra runs
// the check before it runs the command.
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

// runtimeName returns a check for one argument, the name of a runtime to deploy. It accepts "all" if all is true.
func runtimeName(all bool, what i18n.Message) cobra.PositionalArgs {
	one := arguments(1, 1, what)
	return func(cmd *cobra.Command, args []string) error {
		if err := one(cmd, args); err != nil {
			return err
		}
		return site.CheckName(args[0], all)
	}
}

// deployedName is like runtimeName for an existing runtime, which may also be specified by its digest.
func deployedName(all bool, what i18n.Message) cobra.PositionalArgs {
	one := arguments(1, 1, what)
	return func(cmd *cobra.Command, args []string) error {
		if err := one(cmd, args); err != nil {
			return err
		}
		return site.CheckDeployed(args[0], all)
	}
}
