package commands

import (
	"context"
	"slices"
	"strings"
	"sync"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// change describes a command that changes resources, in one target or in each region of --regions.
type change struct {
	target *targetFlags
	need   connect.Options
	// question returns the confirmation question for the combined plans of all regions. If it is nil, the command does
	// not ask for confirmation.
	question     func(plan runtime.Result) i18n.Message
	declined     i18n.Message // printed if the user answers no
	allowMissing bool         // a runtime that exists in only some of the regions is not an error
	do           func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error)
}

// confirm asks the user whether to carry out a plan. A nil confirm means yes.
type confirm func(plan runtime.Result) (bool, error)

// change runs c in every target and shows the merged result.
func (f *Factory) change(ctx context.Context, c change) error {
	declined := false
	targets := recordTargets(&c)
	var ask confirm
	if c.question != nil {
		if f.View.JSON || !f.View.InTTY {
			return usage(i18n.M("Cannot ask for confirmation without a terminal. Pass '-f' to skip the confirmation, or '--dry-run' to show the planned changes."))
		}
		ask = func(plan runtime.Result) (bool, error) {
			f.View.Plan(plan)
			question := c.question(plan)
			if names := targets(); names != "" {
				question = i18n.M("{{.Question}} ({{.Place}})", "Question", question, "Place", names)
			}
			yes, err := f.View.Confirm(ctx, question)
			declined = err == nil && !yes
			return yes, err
		}
	}
	results := forEachRegion(ctx, f, c.target, c.need, ask, c.do)
	if declined {
		f.View.Print(c.declined)
		return nil
	}
	if c.allowMissing {
		results = ignoreNotFound(results)
	}
	if err := f.finish(results); err != nil || !c.target.detailed || !mergeResults(results).Changed() {
		return err
	}
	return exitError{exitChanged}
}

// recordTargets wraps c.do so that it records the targets it runs in. The returned function lists the targets for the
// confirmation question.
func recordTargets(c *change) func() string {
	var mu sync.Mutex
	var targets []string
	do := c.do
	c.do = func(ctx context.Context, s *runtime.Service, ask confirm) (runtime.Result, error) {
		mu.Lock()
		targets = append(targets, strings.TrimSpace(s.Target.Namespace+" "+s.Target.Endpoint))
		mu.Unlock()
		return do(ctx, s, ask)
	}
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(slices.Sorted(slices.Values(targets)), ", ")
	}
}

// finish merges the results of a change and shows them.
func (f *Factory) finish(results []regionResult[runtime.Result]) error {
	result, err := mergeResults(results), joinErrors(results)
	if err == nil {
		err = view.Unfinished(result)
	}
	if err == nil {
		return f.View.Result(result, regionOutcomes(results)...)
	}
	if len(result.Items) == 0 && len(results) == 1 {
		return err
	}
	f.View.PartialResult(result, err)
	return &partial{cause: err, doc: f.View.ResultDocument(result, regionOutcomes(results)...)}
}

// mergeResults merges the results of all regions. An item that all regions share, such as the objects of the bucket, is
// included once.
func mergeResults(results []regionResult[runtime.Result]) runtime.Result {
	if len(results) == 1 && results[0].region == "" {
		return results[0].value
	}
	var all runtime.Result
	seen := map[string]bool{}
	for _, r := range results {
		all.DryRun = all.DryRun || r.value.DryRun
		all.Runtimes = append(all.Runtimes, r.value.Runtimes...)
		for _, it := range r.value.Items {
			switch it.Kind {
			case runtime.KindObjects, runtime.KindFiles, runtime.KindCache, runtime.KindBucket, runtime.KindImage:
				if key := string(it.Kind) + " " + it.Name; seen[key] {
					continue
				} else {
					seen[key] = true
				}
			default:
				it.Region = r.region
			}
			all.Items = append(all.Items, it)
		}
	}
	return all
}

// deletions returns the number of items of a kind that a plan deletes.
func deletions(plan runtime.Result, kind runtime.Kind) int {
	n := 0
	for _, it := range plan.Items {
		if it.Change == runtime.Delete && it.Kind == kind {
			n++
		}
	}
	return n
}
