package plugin

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/grace"
)

// A signal has an effect within seconds, whatever the command waits for; what lingers gets the time that it asked for.
func TestASignalEndsWhatDoesNotEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		lingers time.Duration
		second  time.Duration // after the first signal; 0: there is none
		most    time.Duration
	}{
		"a command that hangs":               {0, 0, 12 * time.Second},
		"a command that lingers":             {30 * time.Second, 0, 42 * time.Second},
		"a second signal":                    {30 * time.Second, time.Second, time.Second},
		"a command that hangs, both at once": {0, time.Millisecond, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ctx, work := grace.Track(ctx)
				signals, done := make(chan os.Signal, 2), make(chan struct{})
				defer context.AfterFunc(ctx, func() { grace.Extend(ctx, tc.lingers) })()
				time.AfterFunc(time.Minute, func() { signals <- os.Interrupt })
				if tc.second > 0 {
					time.AfterFunc(time.Minute+tc.second, func() { signals <- os.Interrupt })
				}
				start := time.Now().Add(time.Minute)
				if !interrupted(signals, done, cancel, work) {
					t.Error("the process goes on")
				}
				if took := time.Since(start); took > tc.most || took < tc.lingers && tc.second == 0 {
					t.Errorf("it took %s to the end, want %s at most", took, tc.most)
				}
			})
		})
	}
}

func TestACommandThatEndsIsNotCutOff(t *testing.T) {
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signals <- os.Interrupt
	close(done)
	if interrupted(signals, done, func() {}, &grace.Tracker{}) {
		t.Error("the process was ended")
	}
}

// What is lent to a child ends neither the command nor the process, however often it comes; afterwards it does again.
func TestSignalsOfAChildEndNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, work := grace.Track(t.Context())
		back := grace.SuspendSignals(ctx)
		signals, done := make(chan os.Signal), make(chan struct{})
		cancelled := false
		ended := make(chan bool, 1)
		go func() { ended <- interrupted(signals, done, func() { cancelled = true }, work) }()
		for range 3 {
			signals <- os.Interrupt
			synctest.Wait()
		}
		if cancelled || len(ended) > 0 {
			t.Errorf("cancelled: %v, ended: %v", cancelled, len(ended) > 0)
		}
		back()
		signals <- os.Interrupt
		synctest.Wait()
		if !cancelled {
			t.Error("a signal after the child's end does nothing")
		}
		close(done)
		if <-ended {
			t.Error("the process was ended")
		}
	})
}
