package commands

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/entity"
)

type buildOptions struct {
	target targetFlags
	req    runtime.BuildRequest
}

func newBuild(f *Factory) *cobra.Command {
	o := &buildOptions{}
	cmd := &cobra.Command{
		Use:   "build IMAGE[:TAG] [CONTEXT]",
		Short: i18n.M("Build a runtime image, check it and push it.").ID,
		Long:  i18n.M("Builds the Dockerfile in CONTEXT, by default the working directory, checks that the image can run Lithops jobs, pushes it with the credentials of 'docker login' and prints its digest.").ID,
		Example: example(i18n.M("Build and push the working directory"), "build me/runtime:1.0") +
			example(i18n.M("Build another Dockerfile and keep the image here"), "build me/runtime:1.0 . -f Dockerfile.conda --no-push"),
		Args: arguments(1, 2, i18n.M("an image")),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Image, o.req.Context = args[0], "."
			if len(args) == 2 {
				o.req.Context = args[1]
			}
			return build(cmd.Context(), f, o)
		},
		ValidArgsFunction: f.completeImages(true),
	}
	stringFlag(cmd, &o.req.Dockerfile, "file", "f", i18n.M("Build this `DOCKERFILE` instead of the one in CONTEXT."))
	cmd.Flags().Var(argsValue{&o.req.Args}, "build-arg", i18n.M("Set a build argument `K=V`; may be given several times.").ID)
	cmd.Flags().StringVar(&o.req.Platform, "platform", entity.DefaultPlatform, i18n.M("Build for this `PLATFORM`; linux/amd64 without this.").ID)
	boolFlag(cmd, &o.req.Pull, "pull", "", i18n.M("Fetch newer base images."))
	boolFlag(cmd, &o.req.NoCache, "no-cache", "", i18n.M("Build every step again."))
	boolFlag(cmd, &o.req.NoPush, "no-push", "", i18n.M("Keep the image on this machine."))
	boolFlag(cmd, &o.req.NoCheck, "no-check", "", i18n.M("Do not start the image to check it."))
	o.target.add(f, cmd)
	f.outputFlags(cmd)
	return cmd
}

func build(ctx context.Context, f *Factory, o *buildOptions) error {
	s, err := f.open(ctx, &o.target, connect.Options{NeedInstall: !o.req.NoCheck, NeedImages: true, LocalOnly: true})
	if err != nil {
		return err
	}
	built, err := s.Build(ctx, o.req, f.View.LineWriter())
	if err != nil {
		return err
	}
	return f.View.Built(built)
}

// argsValue collects K=V.
type argsValue struct{ m *map[string]string }

func (a argsValue) Type() string   { return "K=V" }
func (a argsValue) String() string { return "" }

func (a argsValue) Set(s string) error {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" {
		return valueError{i18n.M("A build argument has the form K=V.")}
	}
	if *a.m == nil {
		*a.m = make(map[string]string)
	}
	(*a.m)[k] = v
	return nil
}
