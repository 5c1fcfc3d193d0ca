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

// change is what a changing command does, in its one place or in each of --regions.
type change struct {
	target *targetFlags
	need   connect.Options
	// question is asked once, of the plans of all places together; nil: nobody is asked.
	question func(plan runtime.Result) i18n.Message
	refused  i18n.Message // is said when the answer is no
	partly   bool         // what some of the regions do not have is no failure
	do       func(ctx context.Context, s *runtime.Service, confirm confirm) (runtime.Result, error)
}

// confirm asks whether a plan is to be carried out; nil: it is.
type confirm func(plan runtime.Result) (bool, error)

// change makes a change everywhere and shows the results as one.
func (f *Factory) change(ctx context.Context, c change) error {
	saidNo := false
	places := placesOf(&c)
	var ask confirm
	if c.question != nil {
		if f.View.JSON || !f.View.InTTY {
			return usage(i18n.M("Cannot ask for confirmation without a terminal. Pass '-f' to skip the confirmation, or '--dry-run' to show the planned changes."))
		}
		ask = func(plan runtime.Result) (bool, error) {
			f.View.Plan(plan)
			question := c.question(plan)
			if at := places(); at != "" {
				question = i18n.M("{{.Question}} ({{.Place}})", "Question", question, "Place", at)
			}
			yes, err := f.View.Confirm(ctx, question)
			saidNo = err == nil && !yes
			return yes, err
		}
	}
	answers := everywhere(ctx, f, c.target, c.need, ask, c.do)
	if saidNo {
		f.View.Say(c.refused)
		return nil
	}
	if c.partly {
		answers = found(answers)
	}
	if err := f.finish(answers); err != nil || !c.target.detailed || !oneResult(answers).Changed() {
		return err
	}
	return exited{exitChanged}
}

// placesOf notes where the work of a change is done; the function returned names it, for the question.
func placesOf(c *change) func() string {
	var mu sync.Mutex
	var places []string
	do := c.do
	c.do = func(ctx context.Context, s *runtime.Service, ask confirm) (runtime.Result, error) {
		mu.Lock()
		places = append(places, strings.TrimSpace(s.Target.Namespace+" "+s.Target.Endpoint))
		mu.Unlock()
		return do(ctx, s, ask)
	}
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(slices.Sorted(slices.Values(places)), ", ")
	}
}

// finish shows the results of a change in all its places as one.
func (f *Factory) finish(answers []answer[runtime.Result]) error {
	result, err := oneResult(answers), failures(answers)
	if err == nil {
		err = view.Unfinished(result)
	}
	if err == nil {
		return f.View.Result(result, outcomes(answers)...)
	}
	if len(result.Items) == 0 && len(answers) == 1 {
		return err
	}
	f.View.PartialResult(result, err)
	return &partial{cause: err, doc: f.View.ResultDocument(result, outcomes(answers)...)}
}

// oneResult makes one result of those of all regions. What they have in common, such as the objects of the bucket, is
// in it once.
func oneResult(answers []answer[runtime.Result]) runtime.Result {
	if len(answers) == 1 && answers[0].region == "" {
		return answers[0].value
	}
	var all runtime.Result
	seen := map[string]bool{}
	for _, a := range answers {
		all.DryRun = all.DryRun || a.value.DryRun
		all.Runtimes = append(all.Runtimes, a.value.Runtimes...)
		for _, it := range a.value.Items {
			switch it.Kind {
			case runtime.KindObjects, runtime.KindFiles, runtime.KindCache, runtime.KindBucket, runtime.KindImage:
				if key := string(it.Kind) + " " + it.Name; seen[key] {
					continue
				} else {
					seen[key] = true
				}
			default:
				it.Region = a.region
			}
			all.Items = append(all.Items, it)
		}
	}
	return all
}

// deletions counts the things of a kind that a plan deletes.
func deletions(plan runtime.Result, kind runtime.Kind) int {
	n := 0
	for _, it := range plan.Items {
		if it.Change == runtime.Delete && it.Kind == kind {
			n++
		}
	}
	return n
}
