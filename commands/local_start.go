package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local"
)

// localFlags holds the values of the flags that configure the endpoint.
type localFlags struct {
	dir     string // "" for the default directory
	python  string
	invoker string
	port    int
	s3Port  int
	idle    time.Duration
	storage int // MB
	memory  int // MB
}

func (l *localFlags) add(cmd *cobra.Command) {
	stringFlag(cmd, &l.python, "python", "", i18n.M("Run actions with this `PYTHON`, a version such as 3.11 or a path."))
	invokers := local.Invokers()
	cmd.Flags().Var(choice{values: invokers, set: func(s string) { l.invoker = s }, get: func() string { return l.invoker }},
		"invoker", i18n.M("Run actions as `KIND`: process, docker or auto.").ID)
	complete(cmd, "invoker", invokers...)
	countFlag(cmd, &l.port, "port", "", 65535, i18n.M("Listen on this `PORT` of the loopback interface."))
	countFlag(cmd, &l.s3Port, "s3-port", "", 65535, i18n.M("Also listen for S3 on this `PORT`, without TLS."))
	countFlag(cmd, &l.storage, "max-storage", "", 1<<20, i18n.M("Store at most this many `MB` of objects; the default is 32768."))
	countFlag(cmd, &l.memory, "memory", "", 1<<24, i18n.M("Limit the total memory of concurrent actions to this many `MB`; the default is three quarters of the machine's memory."))
	cmd.Flags().Var(ageValue{&l.idle}, "idle-timeout", i18n.M("Stop after this `TIME` without requests, such as 2h.").ID)
}

func (l *localFlags) options(f *Factory) (local.Options, error) {
	if l.port != 0 && l.port == l.s3Port {
		return local.Options{}, usage(i18n.M("'{{.First}}' and '{{.Second}}' must differ.", "First", "--port", "Second", "--s3-port"))
	}
	dir := l.dir
	if dir == "" {
		dir = f.localDir()
	}
	return local.Options{
		Dir: dir, Executable: f.Host.Executable, Python: l.python, Invoker: l.invoker,
		Port: l.port, S3Port: l.s3Port, IdleTimeout: l.idle, MaxStorageMB: l.storage, MemoryMB: l.memory, Version: f.Version,
	}, nil
}

func newLocalStart(f *Factory) *cobra.Command {
	var flags localFlags
	var restart bool
	cmd := &cobra.Command{
		Use:   "start",
		Short: i18n.M("Start the local endpoint in the background.").ID,
		Long:  i18n.M("Starts an endpoint on the loopback interface that implements OpenWhisk, Code Engine and S3 and runs Lithops jobs on this machine. An endpoint that is already running stays unchanged. Settings that differ from those of the running endpoint cause an error.").ID,
		Example: example(i18n.M("Start the endpoint"), "local start") +
			example(i18n.M("Run actions in containers"), "local start --invoker docker"),
		Args: arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := flags.options(f)
			if err != nil {
				return err
			}
			if restart {
				return f.startLocal(cmd.Context(), o, local.Restart)
			}
			running, err := local.Status(cmd.Context(), o.Dir)
			if err == nil && running.Running {
				err = running.CheckSettings(o)
			}
			if err != nil {
				return err
			}
			return f.startLocal(cmd.Context(), o, local.Start)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &restart, "restart", "", i18n.M("Stop the endpoint first if it is running."))
	flags.add(cmd)
	f.outputFlags(cmd)
	return cmd
}

// startLocal starts the endpoint with start, which is local.Start or local.Restart, and shows it.
func (f *Factory) startLocal(ctx context.Context, o local.Options, start func(context.Context, local.Options) (local.Info, error)) error {
	end := f.View.Observer().Begin(i18n.M("Starting the local endpoint..."))
	info, err := start(ctx, o)
	end(err)
	if err != nil {
		return err
	}
	return f.View.Started(endpoint(info))
}

func newLocalRestart(f *Factory) *cobra.Command {
	var flags localFlags
	cmd := &cobra.Command{
		Use:     "restart",
		Short:   i18n.M("Stop the local endpoint and start it again.").ID,
		Long:    i18n.M("Restarts the endpoint. Settings that you do not specify are taken from the last start. Deployed runtimes are kept.").ID,
		Example: example(i18n.M("Restart the endpoint with more memory"), "local restart --memory 8192"),
		Args:    arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := flags.options(f)
			if err != nil {
				return err
			}
			return f.startLocal(cmd.Context(), o, local.Restart)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags.add(cmd)
	f.outputFlags(cmd)
	return cmd
}

func newLocalReset(f *Factory) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   i18n.M("Stop the local endpoint and delete all its data.").ID,
		Long:    i18n.M("Deletes the endpoint's runtimes, objects, credentials, certificates and logs. The next start creates an empty endpoint. Configurations that were written for the old endpoint no longer work.").ID,
		Example: example(i18n.M("Reset the endpoint without confirmation"), "local reset -f"),
		Args:    arguments(0, 0, i18n.Message{}),
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, err := local.Status(cmd.Context(), f.localDir())
			if err != nil {
				return err
			}
			if !force {
				if f.View.JSON || !f.View.InTTY {
					return fault.New(fault.Usage, i18n.M("Cannot ask for confirmation without a terminal."), i18n.M("Pass '-f' to skip the confirmation."))
				}
				yes, err := f.View.Confirm(cmd.Context(), i18n.M("Delete everything in {{.Dir}}?", "Dir", f.localDir()))
				if err != nil {
					return err
				}
				if !yes {
					f.View.Print(i18n.M("Nothing was deleted."))
					return nil
				}
			}
			if err := local.Reset(cmd.Context(), f.localDir()); err != nil {
				return err
			}
			// The client uses cached metadata without checking whether the runtime still exists. Deleting the cache
			// entries of other OpenWhisk services is safe, because their buckets still contain the metadata.
			if err := (lithops.Cache{Dir: lithops.CacheDir(f.Host.Home)}).RemoveAll(lithops.OpenWhisk); err != nil {
				return err
			}
			return f.View.Reset(before.Running || before.Hangs)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &force, "force", "f", i18n.M("Delete without confirmation."))
	f.outputFlags(cmd)
	return cmd
}
