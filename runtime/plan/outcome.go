package plan

import (
	"context"
	"errors"
	"fmt"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

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
		f.With(fmt.Sprintf("%s %s: %v", it.Word(), it.Name, it.Err))
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
