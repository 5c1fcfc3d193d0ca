package commands

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/local"
)

// localDir returns the directory of the local endpoint inside the state directory of the plug-in.
func (f *Factory) localDir() string { return filepath.Join(f.Host.StateDir, "local") }

func newLocal(f *Factory) *cobra.Command {
	cmd := group("local", i18n.M("Run OpenWhisk, Code Engine and S3 on this machine."))
	cmd.Long = i18n.M("The local endpoint starts automatically when a command with '-b local' needs it, and runs until it is stopped.").ID
	cmd.Example = example(i18n.M("Show the endpoint"), "local status") + example(i18n.M("Stop the endpoint"), "local stop")
	cmd.AddCommand(newLocalStart(f), newLocalRestart(f), newLocalStop(f), newLocalReset(f), newLocalStatus(f), newLocalEnv(f), newLocalLogs(f), newLocalRun(f))
	return cmd
}

func newLocalStop(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "stop",
		Short:   i18n.M("Stop the local endpoint.").ID,
		Long:    i18n.M("Stops the endpoint and every process that it started. Deployed runtimes are kept and are available after the next start.").ID,
		Example: example(i18n.M("Stop the endpoint"), "local stop"),
		Args:    arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, err := local.Status(cmd.Context(), f.localDir())
			if err != nil {
				return err
			}
			if !before.Running && !before.Hangs && before.PID == 0 {
				return f.View.Stopped(false)
			}
			end := f.View.Observer().Begin(i18n.M("Stopping the local endpoint..."))
			err = local.Stop(cmd.Context(), f.localDir())
			end(err)
			if err != nil {
				return err
			}
			return f.View.Stopped(before.Running || before.Hangs)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f.outputFlags(cmd)
	return cmd
}

func newLocalStatus(f *Factory) *cobra.Command {
	var secrets, check bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: i18n.M("Show whether the local endpoint is running, and where.").ID,
		Long:  i18n.M("Shows where the local endpoint is running. Its credentials are shown only in JSON output and only with '--show-secrets'. They are valid only on this machine.").ID,
		Example: example(i18n.M("Show the endpoint"), "local status") +
			example(i18n.M("Print everything a program needs to use the endpoint"), "local status --output json --show-secrets"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if secrets && !f.View.JSON {
				return usage(i18n.M("'{{.Flag}}' requires '--output json'.", "Flag", "--show-secrets"))
			}
			info, err := local.Status(cmd.Context(), f.localDir())
			if err != nil {
				return err
			}
			if problem := connect.LocalProblem(f.Host, info); problem != nil {
				f.View.WarnError(problem)
			}
			e := endpoint(info)
			if secrets {
				e.Secrets = &view.EndpointSecrets{APIKey: info.APIKey, Token: info.Token, AccessKey: info.AccessKey, SecretKey: info.SecretKey}
			}
			if err := f.View.Endpoint(e); err != nil || !check || e.Running {
				return err
			}
			return exitError{exitFailed}
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &check, "exit-code", "", i18n.M("Exit with status 1 if the endpoint is not running."))
	boolFlag(cmd, &secrets, "show-secrets", "", i18n.M("Also print API keys and passwords."))
	f.outputFlags(cmd)
	return cmd
}

// codeEngine is the value of --as for the service that the endpoint emulates in addition to OpenWhisk.
const codeEngine = "code_engine"

func newLocalEnv(f *Factory) *cobra.Command {
	shell, as := "posix", ""
	cmd := &cobra.Command{
		Use:   "env",
		Short: i18n.M("Print variables that make programs trust the local endpoint.").ID,
		Long:  i18n.M("Prints commands that set REQUESTS_CA_BUNDLE and AWS_CA_BUNDLE to a bundle with the certificate authorities of the system and of the local endpoint. The libraries of the Lithops client read these variables. Without them, the client rejects the endpoint's certificate. With '--as code_engine', the command also sets HTTPS_PROXY and NO_PROXY. The client's requests to IBM Cloud Code Engine then go to the local endpoint, and its requests to other hosts are rejected. The proxy address contains a password.").ID,
		Example: example(i18n.M("Print variables for 'eval' in bash, zsh and similar shells"), "local env") +
			example(i18n.M("Print fish syntax"), "local env --shell fish") +
			example(i18n.M("Use the endpoint as IBM Cloud Code Engine"), "local env --as code_engine"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, err := local.Status(cmd.Context(), f.localDir())
			if err != nil {
				return err
			}
			if info.CABundle == "" || as == codeEngine && info.CloudBundle == "" {
				return fault.New(fault.NotFound, i18n.M("The local endpoint has no certificate authority because it was never started."),
					i18n.M("Start the endpoint with 'ibmcloud fn-runtime local start'."))
			}
			if as == codeEngine {
				return f.View.Environment(shell, "local env --as "+as, f.withLowercase(codeEngineVariables(info.Proxy(), info.CloudBundle)))
			}
			return f.View.Environment(shell, "local env", caVariables(info.CABundle))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().Var(choice{values: view.Shells(), set: func(s string) { shell = s }, get: func() string { return shell }},
		"shell", i18n.M("Use the syntax of this `SHELL`: posix, fish or powershell; the default is posix.").ID)
	complete(cmd, "shell", view.Shells()...)
	asFlag(cmd, &as)
	f.outputFlags(cmd)
	return cmd
}

// asFlag adds the flag that selects the service that the endpoint emulates.
func asFlag(cmd *cobra.Command, as *string) {
	services := []string{codeEngine}
	cmd.Flags().Var(choice{values: services, set: func(s string) { *as = s }, get: func() string { return *as }},
		"as", i18n.M("Make the local endpoint emulate this `SERVICE`: code_engine.").ID)
	complete(cmd, "as", services...)
}

// maxLogLines is the upper limit of logs -n and local logs -n.
const maxLogLines = 100000

func newLocalLogs(f *Factory) *cobra.Command {
	o := local.LogOptions{Lines: 100}
	cmd := &cobra.Command{
		Use:     "logs",
		Short:   i18n.M("Show the log of the local endpoint.").ID,
		Long:    i18n.M("Shows the log of the local endpoint: one line for each request and each other event. With '--output json', each line is the JSON object that the endpoint wrote.").ID,
		Example: example(i18n.M("Follow the log"), "local logs --follow"),
		Args:    arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.View.JSON {
				return local.RawLogs(cmd.Context(), f.localDir(), o, f.View.RawWriter())
			}
			return local.Logs(cmd.Context(), f.localDir(), o, f.View.TextWriter())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &o.Follow, "follow", "", i18n.M("Follow until Ctrl-C."))
	boolFlag(cmd, &o.Failed, "failed", "", i18n.M("Show only failed requests, warnings and errors."))
	countFlag(cmd, &o.Lines, "lines", "n", maxLogLines, i18n.M("Start with the last `N` lines; the default is 100."))
	f.outputFlags(cmd)
	return cmd
}

// NeedsSession reports whether a command line may need the session of the CLI. Only 'local run', the process of the
// local endpoint, needs no session; it outlives the command that starts it.
func NeedsSession(args []string) bool { return len(args) < 2 || args[0] != "local" || args[1] != "run" }

// newLocalRun returns the command that runs the endpoint in the foreground. local start runs this command in the
// background.
func newLocalRun(f *Factory) *cobra.Command {
	var flags localFlags
	cmd := &cobra.Command{
		Use:    "run",
		Short:  i18n.M("Run the local endpoint in the foreground.").ID,
		Hidden: true,
		Args:   arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := flags.options(f)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), o)
		},
	}
	stringFlag(cmd, &flags.dir, "dir", "", i18n.M("Store state in the directory `DIR`."))
	flags.add(cmd)
	return cmd
}

// shutdownTime is how long the endpoint may take to finish the requests in flight.
const shutdownTime = 2 * time.Minute

// serve runs the endpoint until ctx is canceled. It then allows shutdownTime for the shutdown.
func serve(ctx context.Context, o local.Options) error {
	defer context.AfterFunc(ctx, func() { grace.Extend(ctx, shutdownTime) })()
	return local.Serve(ctx, o)
}
