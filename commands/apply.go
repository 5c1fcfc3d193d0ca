package commands

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"fn-runtime/docs/schema"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/manifest"
	"fn-runtime/runtime/site"
)

type applyOptions struct {
	target targetFlags
	req    runtime.ApplyRequest
	force  bool
	// outside allows builds from folders outside of that of the file.
	outside bool
}

func newApply(f *Factory) *cobra.Command {
	o := &applyOptions{}
	var printSchema bool
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: i18n.M("Reconcile runtimes with a declaration file.").ID,
		Long:  i18n.M("Reads a YAML file that declares runtimes, builds the images for which the file specifies a directory, deploys missing runtimes and updates runtimes that differ. Applying the same file again changes nothing. Other runtimes are kept unless you pass '--prune'.").ID,
		Example: example(i18n.M("Show the planned changes"), "apply runtimes.yaml --dry-run") +
			example(i18n.M("Apply the file and delete all other runtimes"), "apply runtimes.yaml --prune -f"),
		Args: func(cmd *cobra.Command, args []string) error {
			if printSchema {
				return arguments(0, 0, i18n.Message{})(cmd, args)
			}
			return arguments(1, 1, i18n.M("a file"))(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if printSchema {
				if f.View.Filtered() {
					return f.View.Document(json.RawMessage(schema.Apply))
				}
				return f.View.Raw(schema.Apply)
			}
			return apply(cmd.Context(), f, o, args[0])
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	boolFlag(cmd, &o.req.Prune, "prune", "", i18n.M("Delete runtimes that are not declared."))
	boolFlag(cmd, &o.force, "force", "f", i18n.M("Delete without confirmation."))
	boolFlag(cmd, &printSchema, "schema", "", i18n.M("Print the JSON schema of the file, for editors and tests."))
	o.target.addPlanning(cmd, &o.req.DryRun)
	boolFlag(cmd, &o.outside, "allow-outside", "", i18n.M("Allow builds from outside the directory of the file."))
	o.target.add(f, cmd)
	o.target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}

func apply(ctx context.Context, f *Factory, o *applyOptions, path string) error {
	file, err := readDeclared(f, path, o.outside)
	if err != nil {
		return errors.Join(err, beyondLimits(ctx, f, &o.target, file))
	}
	places, err := regionsOf(ctx, f, o, file)
	if err != nil {
		return err
	}
	o.req.Output = f.View.LineWriter()
	o.target.regions = places.regions
	c := change{
		target: &o.target, need: connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}, refused: i18n.M("Nothing was changed."),
		do: func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error) {
			req := o.req
			req.Confirm = confirm
			req.Runtimes = places.declared(file, s.Target.Region)
			return s.Apply(ctx, req)
		},
	}
	if o.req.Prune && !o.force && !o.req.DryRun {
		c.question = func(plan runtime.Result) i18n.Message {
			return i18n.N("Apply these changes and delete {{.Count}} undeclared runtime?", "Apply these changes and delete {{.Count}} undeclared runtimes?", max(deletions(plan, runtime.KindRuntime), deletions(plan, runtime.KindMetadata)))
		}
	}
	return f.change(ctx, c)
}

// readDeclared reads a file, and refuses what no backend would take: all that is wrong in it at once.
func readDeclared(f *Factory, path string, outside bool) (manifest.File, error) {
	file, err := manifest.Read(path, f.Host.Getenv)
	wrong := []error{err}
	said := map[string]bool{}
	for _, rt := range file.Runtimes {
		if rt.Image != "" {
			wrong = append(wrong, rt.At.Wrap(site.CheckName(rt.Image, false)))
		}
		for _, name := range rt.Regions {
			if v := (valueError{}); errors.As((regionsValue{&[]string{}}).Set(name), &v) && !said[name] {
				said[name] = true
				wrong = append(wrong, rt.At.Fault(v.Message))
			}
		}
		if rt.Build == nil {
			continue
		}
		for _, p := range rt.Build.Outside(file.Dir) {
			if outside {
				f.View.Observer().Warn(i18n.M("{{.Image}} is built from {{.Path}}, which is outside the directory of the file.", "Image", rt.Image, "Path", p))
				continue
			}
			wrong = append(wrong, rt.At.Wrap(fault.New(fault.Invalid,
				i18n.M("{{.Path}} is outside the directory of the file. The build would send all its contents to the container engine.", "Path", p),
				i18n.M("Move it into the directory of the file, or allow it with '--allow-outside'."))))
		}
	}
	return file, errors.Join(wrong...)
}

// beyondLimits returns what the limits of the target forbid in a file that is wrong already, so that all comes at once.
// Nothing is asked: only limits that are known beforehand count.
func beyondLimits(ctx context.Context, f *Factory, target *targetFlags, file manifest.File) error {
	s, err := f.open(ctx, target, connect.Options{LocalOnly: true})
	if err != nil {
		return nil //nolint:nilerr // the target is not what is wrong first
	}
	limits := lithops.LimitsOf(s.Contract.Backend)
	var wrong []error
	for _, rt := range file.Runtimes {
		for _, memory := range rt.MemoryMB {
			if memory > 0 {
				wrong = append(wrong, rt.At.Wrap(limits.CheckMemory(memory)))
			}
		}
		if rt.TimeoutS > 0 {
			wrong = append(wrong, rt.At.Wrap(limits.CheckTimeout(rt.TimeoutS)), rt.At.Wrap(lithops.CheckJobTime(rt.TimeoutS)))
		}
	}
	return errors.Join(wrong...)
}

// places says where the runtimes of a file belong.
type places struct {
	regions  []string // empty: there is only one place
	standard string   // the region of runtimes that name none
}

// regionsOf finds out in which regions a file wants runtimes. Those that name none belong to the targeted region.
func regionsOf(ctx context.Context, f *Factory, o *applyOptions, file manifest.File) (places, error) {
	var p places
	unnamed := len(file.Runtimes) == 0
	for _, rt := range file.Runtimes {
		unnamed = unnamed || len(rt.Regions) == 0
		for _, name := range rt.Regions {
			var list []string
			_ = regionsValue{&list}.Set(name)
			for _, r := range list {
				if !slices.Contains(p.regions, r) {
					p.regions = append(p.regions, r)
				}
			}
		}
	}
	p.regions = f.allRegions(&o.target, p.regions)
	switch {
	case len(p.regions) == 0:
		return p, nil
	case o.target.backend == runtime.BackendLocal, o.target.backend == runtime.BackendOpenWhisk:
		return p, notRegional(o.target.backend)
	case o.target.region != "":
		return p, usage(i18n.M("'{{.Flag}}' cannot be used if the file specifies regions.", "Flag", "--region"))
	case unnamed:
		s, err := f.open(ctx, &o.target, connect.Options{NeedInstall: true})
		if err != nil {
			return p, err
		}
		p.standard = s.Target.Region
		if p.standard != "" && !slices.Contains(p.regions, p.standard) {
			p.regions = append(p.regions, p.standard)
		}
	}
	return p, nil
}

// declared returns what a file declares for one region.
func (p places) declared(file manifest.File, region string) []runtime.Declaration {
	var list []runtime.Declaration
	for _, rt := range file.Runtimes {
		var wanted []string
		for _, name := range rt.Regions {
			_ = regionsValue{&wanted}.Set(name)
		}
		if len(p.regions) > 0 && !slices.Contains(wanted, region) && !slices.Contains(wanted, everyRegion) && (len(wanted) > 0 || region != p.standard) {
			continue
		}
		d := runtime.Declaration{Name: rt.Image, MemoryMB: rt.MemoryMB, MilliCPU: rt.MilliCPU, TimeoutS: rt.TimeoutS, Pin: rt.Pin, InImage: rt.Code == codeInImage,
			Wrap: rt.At.Wrap}
		if b := rt.Build; b != nil {
			d.Build = &runtime.BuildRequest{Image: rt.Image, Context: b.Context, Dockerfile: b.Dockerfile, Args: b.Args, Platform: b.Platform}
		}
		list = append(list, d)
	}
	return list
}
