package commands

import (
	"context"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// maxTimeout is a sanity limit in seconds. The limit of the service is checked after connecting to it.
const maxTimeout = 24 * 60 * 60

// codeInImage is the value of --code, and of 'code' in a declaration file, for an image that contains the Lithops code.
const codeInImage = "image"

var codeSources = []string{"config-map", codeInImage}

type deployOptions struct {
	target targetFlags
	req    runtime.DeployRequest
}

func newDeploy(f *Factory) *cobra.Command {
	o := &deployOptions{}
	cmd := &cobra.Command{
		Use:   "deploy (default | IMAGE[:TAG])",
		Short: i18n.M("Register a runtime and store its metadata.").ID,
		Long:  i18n.M("Registers the runtime as the installed Lithops client would, calls it once to get its metadata, and stores the metadata where the client expects it. A runtime that is already deployed and up to date stays unchanged.").ID,
		Example: example(i18n.M("Deploy the default runtime for the client's Python"), "deploy default") +
			example(i18n.M("Deploy an image with two memory sizes"), "deploy docker.io/me/runtime:1.0 -m 512,1024") +
			example(i18n.M("Show the planned changes on the local endpoint"), "deploy default -b local --dry-run"),
		Args: runtimeName(false, i18n.M("default or an image")),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Name = args[0]
			o.req.Python = o.target.pythonVersion()
			if err := deploy(cmd.Context(), f, o); err != nil || o.req.DryRun || len(o.target.regions) > 0 {
				return err
			}
			f.View.Hint(i18n.M("Test the runtime with 'ibmcloud fn-runtime invoke {{.Arguments}}'.", "Arguments", args[0]))
			return nil
		},
		ValidArgsFunction: f.completeImages(false, runtime.DefaultName),
	}
	memoryFlag(f, cmd, &o.target, &o.req.MemoryMB, i18n.M("Deploy the memory sizes `MB,...`, one runtime each."))
	cmd.Flags().Var(cpuValue{&o.req.MilliCPU}, "cpu", i18n.M("On code_engine, assign this many `VCPU`; the default is the minimum for the memory size.").ID)
	complete(cmd, "cpu", "0.125", "0.25", "0.5", "1", "2", "4", "6", "8")
	cmd.Flags().Var(choice{values: codeSources, set: func(s string) { o.req.InImage = s == codeInImage }}, "code",
		i18n.M("On code_engine, load the Lithops code from this `SOURCE`: 'config-map', which 'deploy' creates, or 'image'; the default is 'config-map'.").ID)
	complete(cmd, "code", codeSources...)
	countFlag(cmd, &o.req.TimeoutS, "timeout", "t", maxTimeout, i18n.M("Timeout of a call in `SECONDS`."))
	boolFlag(cmd, &o.req.Pin, "pin", "", i18n.M("Register the immutable tag that 'build --pin' derives from the image's digest and pushes."))
	boolFlag(cmd, &o.req.Force, "force", "f", i18n.M("Deploy even if nothing differs."))
	o.target.addChanging(f, cmd, &o.req.DryRun)
	return cmd
}

func deploy(ctx context.Context, f *Factory, o *deployOptions) error {
	need := connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}
	return f.change(ctx, change{target: &o.target, need: need, do: func(ctx context.Context, s *runtime.Service, _ confirm) (runtime.Result, error) {
		return s.Deploy(ctx, o.req)
	}})
}
