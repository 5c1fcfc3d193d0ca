package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newInit(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.InitRequest
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: i18n.M("Write a Dockerfile skeleton that is ready to build.").ID,
		Long:  i18n.M("Writes a Dockerfile, its requirements, a .dockerignore file and, for OpenWhisk, the action proxy to DIR (by default, the working directory). Existing files are not overwritten.").ID,
		Example: example(i18n.M("Create a skeleton for Python 3.11"), "init my-runtime --python 3.11") +
			example(i18n.M("Create a skeleton with conda packages"), "init my-runtime --python 3.11 --conda"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if target.python != "" && !isVersion(target.python) {
				return usage(i18n.M("'{{.Value}}' is not a Python version such as 3.11.", "Value", target.python))
			}
			req.Dir, req.Python, req.Program = ".", target.python, f.View.ProgramName()
			if len(args) == 1 {
				req.Dir = args[0]
			}
			target.python = "" // the Python of the skeleton does not have to be installed on this machine
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedInstall: req.Python == "", LocalOnly: true})
			if err != nil {
				return err
			}
			files, err := s.Init(cmd.Context(), req)
			if err != nil {
				return err
			}
			return f.View.Written(req.Dir, files, s.Target.Backend == runtime.BackendCodeEngine)
		},
	}
	cmd.Flags().VarP(choice{values: backends(), set: func(s string) { target.backend = s }, get: func() string { return target.backend }},
		"backend", "b", i18n.M("Write the skeleton for this compute `BACKEND`: ibm_cf, code_engine, openwhisk or local.").ID)
	complete(cmd, "backend", backends()...)
	cmd.Flags().Var(choice{values: codeSources, set: func(s string) { req.InImage = s == codeInImage }}, "code",
		i18n.M("On code_engine, load the Lithops code from this `SOURCE`: 'config-map', which 'deploy' creates, or 'image'; the default is 'config-map'.").ID)
	complete(cmd, "code", codeSources...)
	stringFlag(cmd, &target.python, "python", "", i18n.M("Python `VERSION` of the runtime, such as 3.11; the default is the client's version."))
	boolFlag(cmd, &req.Conda, "conda", "", i18n.M("Install packages with conda."))
	boolFlag(cmd, &req.Force, "force", "f", i18n.M("Overwrite existing files."))
	f.outputFlags(cmd)
	return cmd
}
