// Package fault defines the error type of the program: what failed, why, and how to fix it.
//
// It contains the Fault type and functions that inspect errors. It does not create particular faults, which are created
// next to their causes, and does not render them, which is done in commands/view.
package fault

import (
	"context"
	"errors"

	"fn-runtime/i18n"
)

// Kind classifies a fault by how a program can react to it. It is the "code" of the JSON error document.
type Kind string

// The kinds. Usage ends the process with exit status 2, Interrupted with 130, all others with 1.
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
	Failed      Kind = "failed" // the operation itself failed: an action, a build
	Interrupted Kind = "interrupted"
	Internal    Kind = "internal"
)

// Fault is an error with a message for users and a kind for scripts.
type Fault struct {
	Kind     Kind
	Op       i18n.Message // the operation that failed: "Deploying runtime X"
	Reason   i18n.Message // why it failed, a full sentence
	Recovery i18n.Message // how to fix it, a full sentence; may be empty
	Details  []string     // related output, untrusted: log lines of an activation, lines of a build step
	cause    error        // the underlying error, set by Because; never f itself, or unwrapping would not end
}

// Error returns the English text in one line: operation and reason, or the cause if both are empty.
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

// Unwrap returns the underlying error for errors.Is and traces. It is not printed if Reason is set.
func (f *Fault) Unwrap() error { return f.cause }

// New returns a fault. A caller further up the stack may set Op with During.
func New(kind Kind, reason, recovery i18n.Message) *Fault {
	return &Fault{Kind: kind, Reason: reason, Recovery: recovery}
}

// Because sets the underlying error and returns the fault. It ignores a cause that wraps the fault itself, which
// context.Cause may return.
func (f *Fault) Because(cause error) *Fault {
	if !errors.Is(cause, f) {
		f.cause = cause
	}
	return f
}

// With appends related output, such as the last log lines of an activation, and returns the fault.
func (f *Fault) With(lines ...string) *Fault {
	f.Details = append(f.Details, lines...)
	return f
}

// During adds the operation during which err occurred. It returns nil for a nil err. It converts an error that is not a
// Fault into a Fault. A Fault that already has an operation keeps it, because that operation is closer to the cause.
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
// and Internal otherwise. It returns "" for nil.
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
