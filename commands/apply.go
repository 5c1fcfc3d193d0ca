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
	// allowOutside permits build contexts outside the directory of the file.
	allowOutside bool
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
	boolFlag(cmd, &o.allowOutside, "allow-outside", "", i18n.M("Allow builds from outside the directory of the file."))
	o.target.add(f, cmd)
	o.target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}

func apply(ctx context.Context, f *Factory, o *applyOptions, path string) error {
	file, err := readManifest(f, path, o.allowOutside)
	if err != nil {
		return errors.Join(err, limitErrors(ctx, f, &o.target, file))
	}
	wanted, err := regionsOf(ctx, f, o, file)
	if err != nil {
		return err
	}
	o.req.Output = f.View.LineWriter()
	o.target.regions = wanted.regions
	c := change{
		target: &o.target, need: connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}, declined: i18n.M("Nothing was changed."),
		do: func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error) {
			req := o.req
			req.Confirm = confirm
			req.Runtimes = wanted.declared(file, s.Target.Region)
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

// readManifest reads a declaration file and checks the rules that are the same for all backends. It returns all errors
// joined.
func readManifest(f *Factory, path string, outside bool) (manifest.File, error) {
	file, err := manifest.Read(path, f.Host.Getenv)
	errs := []error{err}
	reported := map[string]bool{}
	for _, rt := range file.Runtimes {
		if rt.Image != "" {
			errs = append(errs, rt.At.Wrap(site.CheckName(rt.Image, false)))
		}
		for _, name := range rt.Regions {
			if v := (valueError{}); errors.As((regionsValue{&[]string{}}).Set(name), &v) && !reported[name] {
				reported[name] = true
				errs = append(errs, rt.At.Fault(v.Message))
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
			errs = append(errs, rt.At.Wrap(fault.New(fault.Invalid,
				i18n.M("{{.Path}} is outside the directory of the file. The build would send all its contents to the container engine.", "Path", p),
				i18n.M("Move it into the directory of the file, or allow it with '--allow-outside'."))))
		}
	}
	return file, errors.Join(errs...)
}

// limitErrors returns an error for each setting that exceeds the limits of the target. It is called for invalid files,
// so that the user sees all errors at once. It sends no requests and checks only the limits that are known in advance.
func limitErrors(ctx context.Context, f *Factory, target *targetFlags, file manifest.File) error {
	s, err := f.open(ctx, target, connect.Options{LocalOnly: true})
	if err != nil {
		return nil //nolint:nilerr // the errors in the file are reported first
	}
	limits := lithops.LimitsOf(s.Contract.Backend)
	var errs []error
	for _, rt := range file.Runtimes {
		for _, memory := range rt.MemoryMB {
			if memory > 0 {
				errs = append(errs, rt.At.Wrap(limits.CheckMemory(memory)))
			}
		}
		if rt.TimeoutS > 0 {
			errs = append(errs, rt.At.Wrap(limits.CheckTimeout(rt.TimeoutS)), rt.At.Wrap(lithops.CheckJobTime(rt.TimeoutS)))
		}
	}
	return errors.Join(errs...)
}

// fileRegions holds the regions that a declaration file deploys to.
type fileRegions struct {
	regions       []string // empty if no runtime of the file names a region
	defaultRegion string   // the region of runtimes that do not name a region
}

// regionsOf returns the regions that a file deploys to. Runtimes without a region belong to the targeted region.
func regionsOf(ctx context.Context, f *Factory, o *applyOptions, file manifest.File) (fileRegions, error) {
	var p fileRegions
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
	p.regions = f.expandRegions(&o.target, p.regions)
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
		p.defaultRegion = s.Target.Region
		if p.defaultRegion != "" && !slices.Contains(p.regions, p.defaultRegion) {
			p.regions = append(p.regions, p.defaultRegion)
		}
	}
	return p, nil
}

// declared returns the runtimes that a file declares for one region.
func (p fileRegions) declared(file manifest.File, region string) []runtime.Declaration {
	var list []runtime.Declaration
	for _, rt := range file.Runtimes {
		var wanted []string
		for _, name := range rt.Regions {
			_ = regionsValue{&wanted}.Set(name)
		}
		if len(p.regions) > 0 && !slices.Contains(wanted, region) && !slices.Contains(wanted, everyRegion) && (len(wanted) > 0 || region != p.defaultRegion) {
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
