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

// jobFlags are those of run.
type jobFlags struct {
	target targetFlags
	req    runtime.JobRequest
}

// runName is the name of run. The flags behind the program that it runs are that program's.
const runName = "run"

func newRun(f *Factory) *cobra.Command {
	var o jobFlags
	cmd := &cobra.Command{
		Use:   runName + " -- PROGRAM [ARGUMENT]...",
		Short: i18n.M("Run a Lithops job with the matching configuration.").ID,
		Long:  i18n.M("Runs a program that uses the Lithops client, such as python with a script. The program gets a configuration that matches the session, backend and bucket, in a private file that is removed afterwards, and the settings to verify the local endpoint's certificate. The program uses this terminal and receives the signals, and the command exits with the program's exit status. If the runtime is not deployed, the command reports this before the job waits for the runtime.").ID,
		Example: example(i18n.M("Run a job on the local endpoint and deploy its runtime if it is missing"), "run -b local --deploy -- python job.py") +
			example(i18n.M("Run a job in your own runtime"), "run --runtime docker.io/me/runtime:1.0 -- python job.py --size 10"),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return usage(i18n.M("Missing argument: {{.What}}.", "What", i18n.M("the program to run")))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Program = f.View.Called()
			return runJob(cmd, f, o, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the program is the program's
	boolFlag(cmd, &o.req.Deploy, "deploy", "", i18n.M("Deploy the runtime first if it is missing or outdated."))
	stringFlag(cmd, &o.req.Runtime, "runtime", "", i18n.M("Run the job in the runtime `IMAGE`, or default, instead of the configured one."))
	countFlag(cmd, &o.req.MemoryMB, "memory", "m", maxMemory, i18n.M("Run the job in a runtime with this memory size in `MB`."))
	o.target.add(f, cmd)
	cmd.Flags().BoolVarP(&f.View.Quiet, "quiet", "q", f.View.Quiet, i18n.M("Suppress progress and success messages.").ID)
	markCommon(cmd, "quiet")
	return cmd
}

// exited is the end of a program that ran in the place of the command; what it had to say it has said.
type exited struct{ status int }

func (e exited) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// runJob prepares what a job needs and runs it.
func runJob(cmd *cobra.Command, f *Factory, o jobFlags, args []string) error {
	ctx := cmd.Context()
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fault.New(fault.NotFound, i18n.M("The program '{{.Program}}' cannot be run: {{.Error}}.", "Program", args[0], "Error", reasonOf(err)),
			i18n.M("After '--', specify a program in the PATH or the path of an executable file."))
	}
	if o.target.python == "" && o.target.lithops == "" {
		o.target.python = interpreter(path)
		o.req.Own = o.target.python != ""
		if strings.ContainsRune(args[0], filepath.Separator) { // not the Python that other commands find by themselves
			o.target.keep(f, cmd.Root())
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
	return runWith(ctx, data, subprocess.Command{Path: path, Args: args[1:], Env: clientEnvironment(os.Environ(), s.Target)})
}

// runWith runs a program that finds its configuration in a file of its own, which lives as long as the program.
func runWith(ctx context.Context, config []byte, c subprocess.Command) error {
	signals := subprocess.CatchSignals(ctx)
	defer signals.Release()
	folder, err := subprocess.NewTempDir()
	if err != nil {
		return unwritable(err)
	}
	defer folder.Remove()
	file := filepath.Join(folder.Path, "lithops_config")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return unwritable(err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.Env = with(c.Env, view.Variable{Name: "LITHOPS_CONFIG_FILE", Value: file})
	status, err := signals.Run(c)
	switch {
	case err != nil:
		return fault.New(fault.Failed, i18n.M("The program '{{.Program}}' cannot be run: {{.Error}}.", "Program", c.Path, "Error", reasonOf(err)),
			i18n.M("After '--', specify a program in the PATH or the path of an executable file.")).Because(err)
	case status != 0:
		return exited{status}
	}
	return nil
}

func unwritable(err error) error {
	return fault.New(fault.Failed, i18n.M("The job configuration cannot be written: {{.Error}}.", "Error", err.Error()),
		i18n.M("Set TMPDIR to a directory that you can write to.")).Because(err)
}

// clientEnvironment is what a Lithops client finds in its environment: this one, without another configuration and what the
// CLI says to its plug-ins, and for the local endpoint what verifies its certificate and reaches it without a proxy.
func clientEnvironment(env []string, t runtime.Target) []string {
	env = without(env, "LITHOPS_CONFIG", "IBMCLOUD_PLUGIN_NAMESPACE")
	switch {
	case t.CABundle == "":
		return env
	case t.Proxy != "":
		return with(env, codeEngineVariables(t.Proxy, t.CABundle)...)
	}
	direct := "127.0.0.1,localhost"
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if value := lookup(env, name); value != "" {
			direct = value + "," + direct
			break
		}
	}
	return with(env, append(trust(t.CABundle), view.Variable{Name: "NO_PROXY", Value: direct})...)
}

// trust are the variables with which the client's libraries verify certificates.
func trust(bundle string) view.Variables {
	return view.Variables{{Name: "REQUESTS_CA_BUNDLE", Value: bundle}, {Name: "AWS_CA_BUNDLE", Value: bundle}}
}

// codeEngineVariables are those with which the client takes the local endpoint for IBM Cloud Code Engine.
func codeEngineVariables(proxy, bundle string) view.Variables {
	return append(view.Variables{{Name: "HTTPS_PROXY", Value: proxy}, {Name: "NO_PROXY", Value: "127.0.0.1,localhost"}}, trust(bundle)...)
}

// bothCases adds the variables that the shell has in small letters, too, which the client looks at first.
func (f *Factory) bothCases(vars view.Variables) view.Variables {
	for _, v := range slices.Clone(vars) {
		if small := strings.ToLower(v.Name); f.Host.Getenv(small) != "" {
			vars = append(vars, view.Variable{Name: small, Value: v.Value})
		}
	}
	return vars
}

// with sets variables, also those that are written in small letters, which many programs look at first.
func with(env []string, vars ...view.Variable) []string {
	for _, v := range vars {
		env = append(without(env, v.Name, strings.ToLower(v.Name)), v.Name+"="+v.Value)
	}
	return env
}

func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name)
	})
}

func lookup(env []string, name string) string {
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}
