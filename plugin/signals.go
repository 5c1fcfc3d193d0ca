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

// patience is how long an interrupted command that lingers over nothing may take to its end: what it waits for may be
// beyond the reach of a context, such as a disk on the network that does not answer.
const patience = 10 * time.Second

// interruptible returns a context that the first Ctrl-C (or SIGTERM) ends, so that running calls can finish and
// clean up; the second ends the process at once, and so does the end of patience.
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

// interrupted waits for signals and reports whether the process has to end at once; false when the command is done.
// Signals that come while they are lent to a child are none.
func interrupted(signals <-chan os.Signal, done <-chan struct{}, cancel func(), work *grace.Tracker) bool {
	for waits := true; waits; {
		select {
		case <-signals:
			waits = work.SignalsSuspended()
		case <-done:
			return false
		}
	}
	cancel()
	first := time.Now()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-signals:
			if !work.SignalsSuspended() {
				return true
			}
		case <-done:
			return false
		case <-look.C:
			late := first
			if end := work.Until(); end.After(late) {
				late = end
			}
			if time.Since(late) > patience && !work.SignalsSuspended() {
				return true
			}
		}
	}
}
