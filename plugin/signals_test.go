package plugin

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/grace"
)

// After a signal the process ends within seconds, whatever the command waits for. A command that has extended its grace
// period gets that time in addition.
func TestSignalEndsTheProcess(t *testing.T) {
	for name, tc := range map[string]struct {
		extension time.Duration // of the grace period
		second    time.Duration // time of the second signal after the first; 0 for none
		most      time.Duration
	}{
		"hanging command":               {0, 0, 12 * time.Second},
		"extended grace period":         {30 * time.Second, 0, 42 * time.Second},
		"second signal":                 {30 * time.Second, time.Second, time.Second},
		"hanging command, both at once": {0, time.Millisecond, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ctx, work := grace.Track(ctx)
				signals, done := make(chan os.Signal, 2), make(chan struct{})
				defer context.AfterFunc(ctx, func() { grace.Extend(ctx, tc.extension) })()
				time.AfterFunc(time.Minute, func() { signals <- os.Interrupt })
				if tc.second > 0 {
					time.AfterFunc(time.Minute+tc.second, func() { signals <- os.Interrupt })
				}
				start := time.Now().Add(time.Minute)
				if !interrupted(signals, done, cancel, work) {
					t.Error("the process continues")
				}
				if took := time.Since(start); took > tc.most || took < tc.extension && tc.second == 0 {
					t.Errorf("the process ended after %s, want at most %s", took, tc.most)
				}
			})
		})
	}
}

func TestFinishedCommandIsNotKilled(t *testing.T) {
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signals <- os.Interrupt
	close(done)
	if interrupted(signals, done, func() {}, &grace.Tracker{}) {
		t.Error("the process was ended")
	}
}

// While signals are suspended for a child process, they end neither the command nor this process. After that they work
// again.
func TestSuspendedSignalsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, work := grace.Track(t.Context())
		resume := grace.SuspendSignals(ctx)
		signals, done := make(chan os.Signal), make(chan struct{})
		canceled := false
		ended := make(chan bool, 1)
		go func() { ended <- interrupted(signals, done, func() { canceled = true }, work) }()
		for range 3 {
			signals <- os.Interrupt
			synctest.Wait()
		}
		if canceled || len(ended) > 0 {
			t.Errorf("canceled: %v, ended: %v", canceled, len(ended) > 0)
		}
		resume()
		signals <- os.Interrupt
		synctest.Wait()
		if !canceled {
			t.Error("a signal after the end of the child has no effect")
		}
		close(done)
		if <-ended {
			t.Error("the process was ended")
		}
	})
}
