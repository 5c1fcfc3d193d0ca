package commands

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/subprocess"
)

// jobFlags holds the values of the flags of run.
type jobFlags struct {
	target targetFlags
	req    runtime.JobRequest
}

// runName is the name of the command run. Flags after the program belong to the program.
const runName = "run"

func newRun(f *Factory) *cobra.Command {
	var o jobFlags
	cmd := &cobra.Command{
		Use:   runName + " -- PROGRAM [ARGUMENT]...",
		Short: i18n.M("Run a Lithops job with the matching configuration.").ID,
		Long:  i18n.M("Runs a program that uses the Lithops client, such as python with a script. The program gets a configuration that matches the session, backend and bucket, in a private file that is removed afterwards, and the settings to verify the local endpoint's certificate. The program uses this terminal and receives the signals sent to the command, and the command exits with the program's exit status. If the runtime is not deployed, the command fails without starting the program.").ID,
		Example: example(i18n.M("Run a job on the local endpoint and deploy its runtime if it is missing"), "run -b local --deploy -- python job.py") +
			example(i18n.M("Run a job in your own runtime"), "run --runtime docker.io/me/runtime:1.0 -- python job.py --size 10"),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return usage(i18n.M("Missing argument: {{.What}}.", "What", i18n.M("the program to run")))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Program = f.View.ProgramName()
			return runJob(cmd, f, o, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().SetInterspersed(false) // arguments after the program belong to the program
	boolFlag(cmd, &o.req.Deploy, "deploy", "", i18n.M("Deploy the runtime first if it is missing or outdated."))
	stringFlag(cmd, &o.req.Runtime, "runtime", "", i18n.M("Run the job in the runtime `IMAGE`, or default, instead of the configured one."))
	countFlag(cmd, &o.req.MemoryMB, "memory", "m", maxMemory, i18n.M("Run the job in a runtime with this memory size in `MB`."))
	o.target.add(f, cmd)
	cmd.Flags().BoolVarP(&f.View.Quiet, "quiet", "q", f.View.Quiet, i18n.M("Suppress progress and success messages.").ID)
	markCommon(cmd, "quiet")
	return cmd
}

// exitError ends the command with an exit status and without an error message, for example because the program that it
// ran has printed its own errors.
type exitError struct{ status int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// runJob runs the program with the configuration for the target. If requested, it deploys the runtime first.
func runJob(cmd *cobra.Command, f *Factory, o jobFlags, args []string) error {
	ctx := cmd.Context()
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fault.New(fault.NotFound, i18n.M("The program '{{.Program}}' cannot be run: {{.Error}}.", "Program", args[0], "Error", execReason(err)),
			i18n.M("After '--', specify a program in the PATH or the path of an executable file."))
	}
	if o.target.python == "" && o.target.lithops == "" {
		o.target.python = interpreter(path)
		o.req.DetectedPython = o.target.python != ""
		if strings.ContainsRune(args[0], filepath.Separator) { // suggested commands need '--python' to find it
			o.target.addFlagsToHints(f, cmd.Root())
		}
	}
	s, err := f.open(ctx, &o.target, connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true})
	if err != nil {
		return err
	}
	result, err := s.PrepareJob(ctx, o.req)
	if err == nil {
		err = view.Unfinished(result)
	}
	if err != nil {
		return err
	}
	data, err := s.JobConfig(o.req)
	if err != nil {
		return err
	}
	return runWithConfig(ctx, data, subprocess.Command{Path: path, Args: args[1:], Env: clientEnvironment(os.Environ(), s.Target)})
}

// runWithConfig runs a program with its configuration in a private file, which is removed when the program ends.
func runWithConfig(ctx context.Context, config []byte, c subprocess.Command) error {
	signals := subprocess.CatchSignals(ctx)
	defer signals.Release()
	dir, err := subprocess.NewTempDir()
	if err != nil {
		return configWriteError(err)
	}
	defer dir.Remove()
	file := filepath.Join(dir.Path, "lithops_config")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return configWriteError(err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.Env = setEnv(c.Env, view.Variable{Name: "LITHOPS_CONFIG_FILE", Value: file})
	status, err := signals.Run(c)
	switch {
	case err != nil:
		return fault.New(fault.Failed, i18n.M("The program '{{.Program}}' cannot be run: {{.Error}}.", "Program", c.Path, "Error", execReason(err)),
			i18n.M("After '--', specify a program in the PATH or the path of an executable file.")).Because(err)
	case status != 0:
		return exitError{status}
	}
	return nil
}

// configWriteError returns the error for a job configuration that cannot be written.
func configWriteError(err error) error {
	return fault.New(fault.Failed, i18n.M("The job configuration cannot be written: {{.Error}}.", "Error", err.Error()),
		i18n.M("Set TMPDIR to a directory that you can write to.")).Because(err)
}

// clientEnvironment returns the environment of a Lithops client: env without variables that set another configuration
// and without the variables that the CLI sets for its plug-ins. For the local endpoint it adds the variables with
// which the client verifies the certificate and connects without a proxy.
func clientEnvironment(env []string, t runtime.Target) []string {
	env = unsetEnv(env, "LITHOPS_CONFIG", "IBMCLOUD_PLUGIN_NAMESPACE")
	switch {
	case t.CABundle == "":
		return env
	case t.Proxy != "":
		return setEnv(env, codeEngineVariables(t.Proxy, t.CABundle)...)
	}
	direct := "127.0.0.1,localhost"
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if value := lookupEnv(env, name); value != "" {
			direct = value + "," + direct
			break
		}
	}
	return setEnv(env, append(caVariables(t.CABundle), view.Variable{Name: "NO_PROXY", Value: direct})...)
}

// caVariables returns the variables with which the client's libraries verify certificates.
func caVariables(bundle string) view.Variables {
	return view.Variables{{Name: "REQUESTS_CA_BUNDLE", Value: bundle}, {Name: "AWS_CA_BUNDLE", Value: bundle}}
}

// codeEngineVariables returns the variables with which the client uses the local endpoint as IBM Cloud Code Engine.
func codeEngineVariables(proxy, bundle string) view.Variables {
	return append(view.Variables{{Name: "HTTPS_PROXY", Value: proxy}, {Name: "NO_PROXY", Value: "127.0.0.1,localhost"}}, caVariables(bundle)...)
}

// withLowercase adds a lowercase copy of each variable whose lowercase form is set in the environment. The client reads
// the lowercase form first.
func (f *Factory) withLowercase(vars view.Variables) view.Variables {
	for _, v := range slices.Clone(vars) {
		if lower := strings.ToLower(v.Name); f.Host.Getenv(lower) != "" {
			vars = append(vars, view.Variable{Name: lower, Value: v.Value})
		}
	}
	return vars
}

// setEnv returns env with the variables set. It removes their lowercase forms, which many programs read first.
func setEnv(env []string, vars ...view.Variable) []string {
	for _, v := range vars {
		env = append(unsetEnv(env, v.Name, strings.ToLower(v.Name)), v.Name+"="+v.Value)
	}
	return env
}

func unsetEnv(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name)
	})
}

func lookupEnv(env []string, name string) string {
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}
