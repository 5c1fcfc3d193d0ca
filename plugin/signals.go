package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fn-runtime/runtime/grace"
)

// gracePeriod is how long an interrupted command may take to end. A command cannot end if it waits for an operation
// that a context cannot cancel, such as a read from a network disk that does not respond.
const gracePeriod = 10 * time.Second

// interruptible returns a context that the first Ctrl-C or SIGTERM cancels, so that running operations can clean up and
// finish. The second signal, or the end of the grace period, ends the process immediately.
func interruptible(w io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ctx, work := grace.Track(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		if interrupted(signals, done, cancel, work) {
			fmt.Fprintln(w)
			os.Exit(130)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

// interrupted waits for signals and reports whether the process must end immediately. It returns false if the command
// has ended. It ignores signals while they are suspended for a child process.
func interrupted(signals <-chan os.Signal, done <-chan struct{}, cancel func(), work *grace.Tracker) bool {
	for waiting := true; waiting; {
		select {
		case <-signals:
			waiting = work.SignalsSuspended()
		case <-done:
			return false
		}
	}
	cancel()
	first := time.Now()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-signals:
			if !work.SignalsSuspended() {
				return true
			}
		case <-done:
			return false
		case <-ticker.C:
			start := first
			if end := work.Until(); end.After(start) {
				start = end
			}
			if time.Since(start) > gracePeriod && !work.SignalsSuspended() {
				return true
			}
		}
	}
}
