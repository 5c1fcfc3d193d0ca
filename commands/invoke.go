package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// maxCalls is the upper limit of invoke -n. The command measures a runtime, it is not a load test.
const maxCalls = 100

func newInvoke(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.InvokeRequest
	cmd := &cobra.Command{
		Use:     "invoke (default | IMAGE[:TAG])",
		Short:   i18n.M("Invoke a runtime and measure the calls.").ID,
		Long:    i18n.M("Makes real calls to the runtime, one after another, and shows how long each call takes. A runtime that ran recently starts warm. With '--cold', the command calls a copy of the runtime that has never run, and deletes the copy afterwards.").ID,
		Example: example(i18n.M("Invoke a runtime five times"), "invoke me/runtime:1.0 -n 5"),
		Args:    runtimeName(false, i18n.M("default or an image")),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedInstall: true})
			if err != nil {
				return err
			}
			list, err := s.Invoke(cmd.Context(), req)
			if err != nil {
				return err
			}
			return f.View.Invocations(list)
		},
		ValidArgsFunction: f.completeRuntimes(&target, runtime.DefaultName),
	}
	countFlag(cmd, &req.MemoryMB, "memory", "m", maxMemory, i18n.M("Invoke the runtime with this memory size in `MB`."))
	countFlag(cmd, &req.Count, "count", "n", maxCalls, i18n.M("Make `N` calls; the default is 2."))
	boolFlag(cmd, &req.Cold, "cold", "", i18n.M("Begin with a cold start."))
	target.add(f, cmd)
	f.outputFlags(cmd)
	return cmd
}
