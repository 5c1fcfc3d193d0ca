package commands

import (
	"context"
	"encoding/csv"
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
		Short: i18n.M("Build and push a runtime image.").ID,
		Long:  i18n.M("Builds the Dockerfile in CONTEXT (by default, the working directory), checks that the image can run Lithops jobs, pushes the image with the credentials of 'docker login', and prints its digest.").ID,
		Example: example(i18n.M("Build and push the working directory"), "build me/runtime:1.0") +
			example(i18n.M("Build another Dockerfile without pushing the image"), "build me/runtime:1.0 . -f Dockerfile.conda --no-push"),
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
	cmd.Flags().Var(pairs{&o.req.Args, f.variable, i18n.M("A build argument must have the form K=V.")}, "build-arg", i18n.M("Set a build argument `K=V`; can be specified multiple times.").ID)
	cmd.Flags().StringVar(&o.req.Platform, "platform", entity.DefaultPlatform, i18n.M("Build for this `PLATFORM`; the default is linux/amd64.").ID)
	boolFlag(cmd, &o.req.Pull, "pull", "", i18n.M("Pull newer base images."))
	boolFlag(cmd, &o.req.NoCache, "no-cache", "", i18n.M("Build without the cache."))
	boolFlag(cmd, &o.req.Pin, "pin", "", i18n.M("Also push an immutable tag derived from the digest, for 'deploy --pin'."))
	boolFlag(cmd, &o.req.NoPush, "no-push", "", i18n.M("Do not push the image."))
	boolFlag(cmd, &o.req.NoCheck, "no-check", "", i18n.M("Do not start the image to check it."))
	cmd.Flags().Var(pairs{&o.req.Labels, func(string) (string, bool) { return "", true }, i18n.M("A label must have the form K=V.")}, "label", i18n.M("Set an image label `K=V`; can be specified multiple times.").ID)
	stringFlag(cmd, &o.req.Target, "target", "", i18n.M("Build this `STAGE` of the Dockerfile instead of the last one."))
	cmd.Flags().StringArrayVar(&o.req.CacheFrom, "cache-from", nil, i18n.M("Reuse layers of this `IMAGE`; can be specified multiple times.").ID)
	stringFlag(cmd, &o.req.Network, "network", "", i18n.M("Run the build steps in this `NETWORK`: default, none or host."))
	cmd.Flags().Var(secretsValue{&o.req.Secrets}, "secret", i18n.M("Expose a `SECRET` to 'RUN --mount=type=secret': id=NAME,src=FILE or id=NAME,env=VARIABLE; can be specified multiple times.").ID)
	cmd.Flags().Var(sshValue{&o.req.SSH}, "ssh", i18n.M("Expose an SSH `AGENT` to 'RUN --mount=type=ssh': default, or NAME=SOCKET; can be specified multiple times.").ID)
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

// variable returns the value of an environment variable. It returns false if the variable is empty: an empty variable
// counts as not set.
func (f *Factory) variable(name string) (string, bool) {
	value := f.Host.Getenv(name)
	return value, value != ""
}

// pairs is a flag value that collects K=V, and like the Docker CLI also accepts K without a value.
type pairs struct {
	m            *map[string]string
	defaultValue func(k string) (string, bool) // value for K without '='; false to skip K
	syntax       i18n.Message                  // error message for an invalid pair
}

func (p pairs) Type() string   { return "K=V" }
func (p pairs) String() string { return "" }

func (p pairs) Set(s string) error {
	k, v, given := strings.Cut(s, "=")
	if k == "" {
		return valueError{p.syntax}
	}
	if !given {
		if v, given = p.defaultValue(k); !given {
			return nil
		}
	}
	if *p.m == nil {
		*p.m = make(map[string]string)
	}
	(*p.m)[k] = v
	return nil
}

// secretsValue is a flag value that collects secrets in the syntax of the Docker CLI: KEY=VALUE fields separated by
// commas.
type secretsValue struct{ all *[]entity.BuildSecret }

func (v secretsValue) Type() string   { return "SECRET" }
func (v secretsValue) String() string { return "" }

func (v secretsValue) Set(s string) error {
	syntaxErr := valueError{i18n.M("A secret must have the form id=NAME,src=FILE or id=NAME,env=VARIABLE.")}
	fields, err := csv.NewReader(strings.NewReader(s)).Read() // a quoted path may contain a comma
	if err != nil {
		return syntaxErr
	}
	var secret entity.BuildSecret
	for _, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		switch strings.ToLower(key) {
		case "id":
			secret.ID = value
		case "src", "source":
			secret.File = value
		case "env":
			secret.Env = value
		case "type":
			if value != "file" && value != "env" {
				return syntaxErr
			}
		default:
			return syntaxErr
		}
	}
	if secret.ID == "" {
		return syntaxErr
	}
	*v.all = append(*v.all, secret)
	return nil
}

// sshValue is a flag value that collects SSH agents in the syntax of the Docker CLI: NAME or NAME=SOCKET.
type sshValue struct{ all *[]entity.BuildSSH }

func (v sshValue) Type() string   { return "AGENT" }
func (v sshValue) String() string { return "" }

func (v sshValue) Set(s string) error {
	id, socket, given := strings.Cut(s, "=")
	if id == "" || given && socket == "" {
		return valueError{i18n.M("An SSH agent must have the form default or NAME=SOCKET.")}
	}
	*v.all = append(*v.all, entity.BuildSSH{ID: id, Socket: socket})
	return nil
}
