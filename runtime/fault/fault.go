// Package fault is what went wrong, why, and what to do now.
//
// What may go in: the Fault value and the questions that can be asked of an error. What may not: the making of
// particular faults, which belongs next to their causes, and their rendering, which belongs to commands/view.
package fault

import (
	"context"
	"errors"

	"fn-runtime/i18n"
)

// Kind sorts faults by what a program can do about them. It is the "code" of the JSON error document.
type Kind string

// The kinds. Usage ends the process with exit status 2, Interrupted with 130, every other with 1.
const (
	Usage       Kind = "usage"   // the command line is wrong
	Invalid     Kind = "invalid" // input or configuration is wrong
	NotLoggedIn Kind = "not_logged_in"
	Denied      Kind = "denied"      // 401, 403
	NotFound    Kind = "not_found"   // 404
	Conflict    Kind = "conflict"    // 409
	TooLarge    Kind = "too_large"   // 413
	Throttled   Kind = "throttled"   // 429
	Unavailable Kind = "unavailable" // refused, reset, 5xx
	Timeout     Kind = "timeout"
	Failed      Kind = "failed" // the work itself failed: an action, a build
	Interrupted Kind = "interrupted"
	Internal    Kind = "internal"
)

// Fault is an error for people and for scripts.
type Fault struct {
	Kind     Kind
	Op       i18n.Message // what was being done: "Deploying runtime X"
	Reason   i18n.Message // why it failed, a sentence
	Recovery i18n.Message // what to do now, a sentence; may be empty
	Details  []string     // lines from elsewhere that help: log lines of an activation, a build step; untrusted text
	cause    error        // the error below, which Because sets: not f itself, or who walks along the errors would never end
}

// Error is the English text in one line: operation, reason, cause.
func (f *Fault) Error() string {
	s := f.Reason.String()
	if !f.Op.IsZero() {
		if s == "" {
			s = f.Op.String()
		} else {
			s = f.Op.String() + ": " + s
		}
	}
	if s == "" && f.cause != nil {
		s = f.cause.Error()
	}
	return s
}

// Unwrap returns the error below, for errors.Is and traces. It is not printed when Reason says it all.
func (f *Fault) Unwrap() error { return f.cause }

// New makes a fault. Op may be set by a caller further up with During.
func New(kind Kind, reason, recovery i18n.Message) *Fault {
	return &Fault{Kind: kind, Reason: reason, Recovery: recovery}
}

// Because adds the error below and returns the fault. A fault that is its own cause, as context.Cause may give it back,
// stays as it is.
func (f *Fault) Because(cause error) *Fault {
	if !errors.Is(cause, f) {
		f.cause = cause
	}
	return f
}

// With adds lines from elsewhere, such as the last log lines of an activation, and returns the fault.
func (f *Fault) With(lines ...string) *Fault {
	f.Details = append(f.Details, lines...)
	return f
}

// During says what was being done when err happened. A nil err stays nil. An error that is not a Fault becomes one;
// a Fault that already knows its operation keeps it, because the cause knew better.
func During(op i18n.Message, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		if !f.Op.IsZero() {
			return err
		}
		c := *f
		c.Op = op
		return &c
	}
	kind := KindOf(err)
	return &Fault{Kind: kind, Op: op, Reason: i18n.M("{{.Error}}", "Error", err.Error()), cause: err}
}

// KindOf returns the kind of an error: that of the Fault in its chain, Interrupted or Timeout for a context that ended,
// Internal otherwise. The kind of nil is "".
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var f *Fault
	switch {
	case errors.As(err, &f):
		return f.Kind
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}

// Is reports whether err is of the given kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
