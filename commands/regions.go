package commands

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/text"
)

// everyRegion is the value of --regions that selects all regions of the backend.
const everyRegion = "all"

// knownRegions returns the regions of all backends.
func knownRegions() []string {
	known := lithops.Regions(lithops.IBMCF)
	for _, name := range lithops.Regions(lithops.CodeEngine) {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	return known
}

// expandRegions replaces everyRegion with the regions of the backend.
func (f *Factory) expandRegions(t *targetFlags, regions []string) []string {
	var list []string
	for _, name := range regions {
		names := []string{name}
		if name == everyRegion {
			names = connect.Regions(t.options(connect.Options{Host: f.Host}))
		}
		for _, n := range names {
			if !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	return list
}

// regionsValue is a flag value for a list of regions, such as "us-south,eu-de", or "all". The flag can be repeated.
type regionsValue struct{ list *[]string }

func (r regionsValue) Type() string { return "list" }

func (r regionsValue) String() string {
	if r.list == nil {
		return ""
	}
	return strings.Join(*r.list, ",")
}

func (r regionsValue) Set(s string) error {
	known := knownRegions()
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		names := []string{name}
		switch {
		case name == everyRegion: // expanded later: the regions depend on the backend
		case !slices.Contains(known, name):
			if near := text.Nearest(name, known); near != "" {
				return valueError{i18n.M("Unknown region '{{.Region}}'. Did you mean '{{.Near}}'?", "Region", name, "Near", near)}
			}
			return valueError{i18n.M("Unknown region '{{.Region}}'. Possible values: all, {{.Values}}.", "Region", name, "Values", strings.Join(known, ", "))}
		}
		for _, n := range names {
			if !slices.Contains(*r.list, n) {
				*r.list = append(*r.list, n)
			}
		}
	}
	return nil
}

func (t *targetFlags) addRegions(cmd *cobra.Command) {
	cmd.Flags().Var(regionsValue{&t.regions}, "regions", i18n.M("Operate on several regions in parallel: `REGION,...` or all.").ID)
	complete(cmd, "regions", append([]string{everyRegion}, knownRegions()...)...)
	markCommon(cmd, "regions")
}

// regionResult is the result of an operation in one region.
type regionResult[T any] struct {
	region string // "" if the command runs without --regions
	value  T
	err    error
}

// forEachRegion runs work concurrently in each region of --regions, or once without --regions. A failure in one region
// does not stop the others. It calls ask once, with the combined plans of all regions.
func forEachRegion[T any](ctx context.Context, f *Factory, t *targetFlags, need connect.Options,
	ask confirm, work func(context.Context, *runtime.Service, confirm) (T, error)) []regionResult[T] {
	if len(t.regions) == 0 {
		var r regionResult[T]
		s, err := f.open(ctx, t, need)
		if r.err = err; err == nil {
			r.value, r.err = work(ctx, s, ask)
		}
		return []regionResult[T]{r}
	}
	t.regions = f.expandRegions(t, t.regions)
	results := make([]regionResult[T], len(t.regions))
	shared := newShared(f.View.Observer(), len(t.regions), ask)
	var wg sync.WaitGroup
	for i, region := range t.regions {
		r := &results[i]
		r.region = region
		wg.Go(func() {
			defer shared.donePlanning(i)
			defer fault.Recover(&r.err)
			var s *runtime.Service
			if s, r.err = f.openRegion(ctx, t, need, region, shared.observer(i)); r.err != nil {
				return
			}
			shared.attach(s)
			r.value, r.err = work(ctx, s, shared.confirm(i))
		})
	}
	wg.Wait()
	return results
}

// openRegion opens the service of one of several regions. The limit of --jobs is divided among the regions.
func (f *Factory) openRegion(ctx context.Context, t *targetFlags, need connect.Options, region string, o site.Observer) (*runtime.Service, error) {
	one := *t
	one.region = region
	if t.jobs > 0 {
		one.jobs = max(1, t.jobs/len(t.regions))
	}
	opts := one.options(need)
	opts.Host = f.Host
	opts.Host.Observer = o
	s, err := f.Service(ctx, opts)
	if err == nil && s.Target.Backend != "" && !regional(s.Target.Backend) {
		err = notRegional(s.Target.Backend)
	}
	return s, err
}

func notRegional(backend string) error {
	return usage(i18n.M("The backend {{.Backend}} does not support regions. Only ibm_cf and code_engine do.", "Backend", backend))
}

// regional reports whether a backend, a value of --backend, has regions.
func regional(backend string) bool { return len(lithops.Regions(lithops.Backend(backend))) > 0 }

// joinErrors joins the errors of the regions, each prefixed with its region. A usage error is the same in all regions
// and is returned once, without a region.
func joinErrors[T any](results []regionResult[T]) error {
	var all []error
	for _, r := range results {
		if r.err == nil {
			continue
		}
		if r.region == "" || fault.Is(r.err, fault.Usage) {
			return r.err
		}
		all = append(all, inRegion(r.region, r.err))
	}
	return errors.Join(all...)
}

// ignoreNotFound removes the not-found errors if the operation succeeded in at least one region.
func ignoreNotFound[T any](results []regionResult[T]) []regionResult[T] {
	succeeded := func(r regionResult[T]) bool { return r.err == nil }
	if !slices.ContainsFunc(results, succeeded) {
		return results
	}
	for i := range results {
		if fault.Is(results[i].err, fault.NotFound) {
			results[i].err = nil
		}
	}
	return results
}

// inRegion returns a copy of the fault of err whose operation starts with the region.
func inRegion(region string, err error) error {
	var f *fault.Fault
	if !errors.As(err, &f) {
		f = fault.New(fault.KindOf(err), i18n.M("{{.Error}}", "Error", err.Error()), i18n.Message{}).Because(err)
	}
	c := *f
	c.Op = i18n.M("Region {{.Region}}", "Region", region)
	if !f.Op.IsZero() {
		c.Op = i18n.M("Region {{.Region}}: {{.Operation}}", "Region", region, "Operation", f.Op)
	}
	return &c
}

// regionOutcomes returns the error of each region for the view. It returns nil if the command runs without --regions.
func regionOutcomes[T any](results []regionResult[T]) []view.Region {
	var list []view.Region
	for _, r := range results {
		if r.region != "" {
			list = append(list, view.Region{Name: r.region, Err: r.err})
		}
	}
	return list
}
