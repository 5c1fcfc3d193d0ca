package fault

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"

	"fn-runtime/i18n"
)

// maxFrames is the maximum number of stack frames in an error about a panic.
const maxFrames = 8

// Recover converts a panic into an error. It must be deferred. Go's own report prints the panic value, which may
// contain secrets. The error lists the functions on the stack and, instead of the value, only its type. The message of
// an error of the Go runtime (index out of range, nil pointer) contains no secrets and is included.
func Recover(err *error) {
	if value := recover(); value != nil {
		*err = panicError(value)
	}
}

// Try runs work and returns its error, or an error that describes its panic. Goroutines call their work through Try,
// because a panic in a goroutine would end the program.
func Try(work func() error) (err error) {
	defer Recover(&err)
	return work()
}

// Repanic panics with the first error in caught that is not nil. The goroutine that waits for others calls it with the
// errors of Try, so that their panic is not lost.
func Repanic(caught ...error) {
	for _, err := range caught {
		if err != nil {
			panic(err)
		}
	}
}

func panicError(value any) error {
	if f, ok := value.(*Fault); ok && f.Kind == Internal { // repeated by Repanic
		return f
	}
	detail := fmt.Sprintf("%T", value)
	if e, ok := value.(error); ok {
		if own := runtime.Error(nil); errors.As(e, &own) {
			detail = own.Error()
		}
	}
	return New(Internal,
		i18n.M("Internal error: {{.Error}}.", "Error", detail),
		i18n.M("Report the error with these details; they contain none of your data. Then rerun the command.")).With(panicFrames()...)
}

// panicFrames returns the calls that led to the panic, innermost first.
func panicFrames() []string {
	pcs := make([]uintptr, 64)
	all := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var lines []string
	started := false
	for more := true; more && len(lines) < maxFrames; {
		var f runtime.Frame
		f, more = all.Next()
		switch inRuntime := strings.HasPrefix(f.Function, "runtime."); {
		case f.Function == "runtime.gopanic":
			started = true
		case started && !inRuntime:
			lines = append(lines, fmt.Sprintf("%s (%s:%d)", f.Function, path.Base(f.File), f.Line))
		}
	}
	return lines
}
