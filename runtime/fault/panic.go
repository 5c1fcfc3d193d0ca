package fault

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"

	"fn-runtime/i18n"
)

// shownFrames is how many calls an error about a panic names.
const shownFrames = 8

// Recover, deferred, turns a panic into an error: the end of a mistake in this program, in words, instead of Go's own
// report, which repeats whatever the panic was given. What a panic says may hold secrets, so only the runtime's own
// words are kept (an index out of range, a nil pointer), of everything else its type; and the names of the functions.
func Recover(err *error) {
	if value := recover(); value != nil {
		*err = panicError(value)
	}
}

// Try runs work and gives its error, or that of its panic. It stands at the top of each goroutine that does work.
func Try(work func() error) (err error) {
	defer Recover(&err)
	return work()
}

// Repanic goes on with the first panic that Try has caught, if any, in the goroutine that waited for the others.
func Repanic(caught ...error) {
	for _, err := range caught {
		if err != nil {
			panic(err)
		}
	}
}

func panicError(value any) error {
	if f, ok := value.(*Fault); ok && f.Kind == Internal { // of Repanic
		return f
	}
	said := fmt.Sprintf("%T", value)
	if e, ok := value.(error); ok {
		if own := runtime.Error(nil); errors.As(e, &own) {
			said = own.Error()
		}
	}
	return New(Internal,
		i18n.M("The program made a mistake and cannot go on: {{.Error}}.", "Error", said),
		i18n.M("Report it with these lines; they hold none of your data. Then run the command again.")).With(panicFrames()...)
}

// frames names the calls that led to the panic, the nearest first.
func panicFrames() []string {
	pcs := make([]uintptr, 64)
	all := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var lines []string
	started := false
	for more := true; more && len(lines) < shownFrames; {
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
