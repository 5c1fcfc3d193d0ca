package plan

import (
	"context"
	"errors"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// outcome returns the error of an operation on several objects. It returns nil if nothing failed, the failure itself if
// there is only one, and otherwise a fault with the number of failures. The items contain the details.
func outcome(ctx context.Context, items []Item) error {
	var failed []Item
	done, left := 0, 0
	type key struct {
		image  string
		memory int
	}
	broken := map[key]bool{} // runtimes with a failed part
	runtimes := map[key]bool{}
	for _, it := range items {
		at := key{it.Image, it.Memory}
		broken[at] = broken[at] || it.Status == Failed && it.Image != ""
		runtimes[at] = runtimes[at] || it.Kind == KindRuntime && it.Image != ""
	}
	for _, it := range items {
		at := key{it.Image, it.Memory}
		part := runtimes[at] && it.Kind != KindRuntime // part of a runtime; only the runtime is counted
		if it.Status != Failed && (part || broken[at]) {
			continue
		}
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
			i18n.M("The command was interrupted. {{.Done}} changes were made, {{.Left}} were not.", "Done", done, "Left", left+len(failed)),
			i18n.M("Rerun the command; it resumes where it stopped."))
		return f.Because(context.Cause(ctx))
	}
	if len(failed) == 0 {
		return nil
	}
	// One cause often fails several items: a runtime that does not start fails with its metadata.
	causes := distinctErrors(failed)
	if len(causes) == 1 {
		return causes[0]
	}
	return fault.New(fault.Failed,
		i18n.M("{{.Failed}} of {{.Total}} changes failed; {{.Done}} succeeded.", "Failed", len(failed), "Total", done+left+len(failed), "Done", done),
		recovery(causes)).Because(errors.Join(causes...))
}

// distinctErrors returns the errors of items. It returns errors with equal texts only once.
func distinctErrors(items []Item) []error {
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

// recovery returns the suggested fix of the first failure that has one.
func recovery(causes []error) i18n.Message {
	for _, err := range causes {
		var f *fault.Fault
		if errors.As(err, &f) && !f.Recovery.IsZero() {
			return f.Recovery
		}
	}
	return i18n.M("Fix the errors above and rerun; completed steps are skipped.")
}
