package runtime

import (
	"context"
	"errors"
	"fmt"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// settle sets the status of an item from the error of the work on it.
func (it *Item) settle(err error) {
	switch {
	case err == nil:
		it.Status = Done
	case errors.Is(err, errSkipped):
		it.Status = Skipped
	default:
		it.Status, it.Err = Failed, err
	}
}

// untried gives what is still planned when the work has ended its status.
func untried(items []Item) {
	for i := range items {
		if items[i].Status == Planned {
			items[i].Status = Skipped
		}
	}
}

// confirmed asks for consent to a plan, where there is somebody to ask. Without it nothing of the plan is tried.
func confirmed(ask func(plan Result) (bool, error), plan *Result) (bool, error) {
	if ask == nil {
		return true, nil
	}
	yes, err := ask(*plan)
	if err != nil || !yes {
		untried(plan.Items)
		return false, err
	}
	return true, nil
}

// errSkipped marks work that was not tried because something before it failed.
var errSkipped = errors.New("skipped")

// skipped tells whether err stands for work that never started: an ended context, or something before it that failed.
// A call that ran into its time limit was cancelled too, somewhere inside, and is no such work.
func skipped(err error) bool {
	return errors.Is(err, errSkipped) || fault.Is(err, fault.Interrupted)
}

// outcome makes the error of an operation that worked on many things: nil when nothing failed, the only failure
// itself when there is one, else a fault that lists what failed and says what is done. The items tell the rest.
func outcome(ctx context.Context, items []Item) error {
	var failed []Item
	done, left := 0, 0
	for _, it := range items {
		switch it.Status {
		case Failed:
			failed = append(failed, it)
		case Done:
			if it.Change != Unchanged {
				done++
			}
		case Planned, Skipped:
			left++
		}
	}
	if ctx.Err() != nil {
		f := fault.New(fault.Interrupted,
			i18n.M("The command was interrupted: {{.Done}} changes are made, {{.Left}} are not.", "Done", done, "Left", left+len(failed)),
			i18n.M("Run the same command again to finish."))
		return f.Because(context.Cause(ctx))
	}
	if len(failed) == 0 {
		return nil
	}
	// One cause often fails several items: a runtime that does not start fails its action and its metadata.
	causes := distinct(failed)
	if len(causes) == 1 {
		return causes[0]
	}
	f := fault.New(fault.Failed,
		i18n.M("{{.Failed}} of {{.Total}} changes failed; {{.Done}} are made.", "Failed", len(failed), "Total", done+left+len(failed), "Done", done),
		recovery(causes))
	for _, it := range failed {
		f.With(fmt.Sprintf("%s %s: %v", it.Kind, it.Name, it.Err))
	}
	return f.Because(errors.Join(causes...))
}

func distinct(items []Item) []error {
	var causes []error
	seen := map[string]bool{}
	for _, it := range items {
		if !seen[it.Err.Error()] {
			seen[it.Err.Error()] = true
			causes = append(causes, it.Err)
		}
	}
	return causes
}

// recovery is what to do about several failures: what the first that knows says.
func recovery(causes []error) i18n.Message {
	for _, err := range causes {
		var f *fault.Fault
		if errors.As(err, &f) && !f.Recovery.IsZero() {
			return f.Recovery
		}
	}
	return i18n.M("Run the same command again: what is done is left alone.")
}
