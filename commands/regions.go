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

// everyRegion stands for all regions of the backend.
const everyRegion = "all"

// knownRegions are those of all backends.
func knownRegions() []string {
	known := lithops.Regions(lithops.IBMCF)
	for _, name := range lithops.Regions(lithops.CodeEngine) {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	return known
}

// allRegions puts the regions of the backend in the place of everyRegion.
func (f *Factory) allRegions(t *targetFlags, regions []string) []string {
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

// regionsValue is a list of regions: "us-south,eu-de", also given several times, or "all".
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
		case name == everyRegion: // which these are depends on the backend
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

// answer is what the work in one region came to. Region is "" where the command works in one place only.
type answer[T any] struct {
	region string
	value  T
	err    error
}

// everywhere does the work in each region of --regions side by side, or once in the only place. A failure in one region
// stops no other. ask is asked once, with the plans of all regions together.
func everywhere[T any](ctx context.Context, f *Factory, t *targetFlags, need connect.Options,
	ask confirm, work func(context.Context, *runtime.Service, confirm) (T, error)) []answer[T] {
	if len(t.regions) == 0 {
		var a answer[T]
		s, err := f.open(ctx, t, need)
		if a.err = err; err == nil {
			a.value, a.err = work(ctx, s, ask)
		}
		return []answer[T]{a}
	}
	t.regions = f.allRegions(t, t.regions)
	answers := make([]answer[T], len(t.regions))
	shared := newShared(f.View.Observer(), len(t.regions), ask)
	var wg sync.WaitGroup
	for i, region := range t.regions {
		a := &answers[i]
		a.region = region
		wg.Go(func() {
			defer shared.leave(i)
			defer fault.Recover(&a.err)
			var s *runtime.Service
			if s, a.err = f.openRegion(ctx, t, need, region, shared.observer(i)); a.err != nil {
				return
			}
			shared.join(s)
			a.value, a.err = work(ctx, s, shared.confirm(i))
		})
	}
	wg.Wait()
	return answers
}

// openRegion opens one of several regions; --jobs is a bound for all of them together.
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

// regional reports whether a backend, as users name it, has regions.
func regional(backend string) bool { return len(lithops.Regions(lithops.Backend(backend))) > 0 }

// failures joins what failed, each with its region in front. Wrong usage is the same everywhere and is said once.
func failures[T any](answers []answer[T]) error {
	var all []error
	for _, a := range answers {
		if a.err == nil {
			continue
		}
		if a.region == "" || fault.Is(a.err, fault.Usage) {
			return a.err
		}
		all = append(all, inRegion(a.region, a.err))
	}
	return errors.Join(all...)
}

// found takes a runtime that is in some of the regions for found: where it is not there is nothing to do.
func found[T any](answers []answer[T]) []answer[T] {
	there := func(a answer[T]) bool { return a.err == nil }
	if !slices.ContainsFunc(answers, there) {
		return answers
	}
	for i := range answers {
		if fault.Is(answers[i].err, fault.NotFound) {
			answers[i].err = nil
		}
	}
	return answers
}

// inRegion puts the region before the operation of a fault.
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

// outcomes tells for each region whether its work failed; nil where there is only one place.
func outcomes[T any](answers []answer[T]) []view.Region {
	var list []view.Region
	for _, a := range answers {
		if a.region != "" {
			list = append(list, view.Region{Name: a.region, Err: a.err})
		}
	}
	return list
}
