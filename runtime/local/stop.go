package local

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// How long a stop waits for the process to end.
const (
	stopTimeout = time.Minute     // after a stop request; longer than the sum of the grace periods in Serve
	hangTimeout = 5 * time.Second // after SIGTERM to a process that hangs
	killTimeout = 5 * time.Second // after the process was killed
)

// Status returns the state of the endpoint in dir. It returns an empty Info if the endpoint was never started.
func Status(ctx context.Context, dir string) (Info, error) {
	i, err := status(ctx, dir)
	return i, fault.During(i18n.M("Reading the state of the local endpoint"), err)
}

func status(ctx context.Context, dir string) (Info, error) {
	i, err := readInfo(dir)
	if errors.Is(err, os.ErrNotExist) {
		return Info{}, nil
	}
	if err != nil {
		return Info{}, err
	}
	if i.Running, i.Hangs = probe(ctx, i); !i.Running && !sameProcess(i) {
		i.PID = 0
	}
	return i, nil
}

// sameProcess reports whether the process of i still runs. It returns false if another process has been assigned its
// PID.
func sameProcess(i Info) bool {
	return i.PID > 0 && i.ProcessMark != "" && processMark(i.PID) == i.ProcessMark
}

// Stop stops the endpoint in dir and waits until its process has ended. It kills a process that does not end in time.
// It returns nil if the endpoint does not run.
func Stop(ctx context.Context, dir string) error {
	return fault.During(i18n.M("Stopping the local endpoint"), stop(ctx, dir))
}

func stop(ctx context.Context, dir string) error {
	i, err := status(ctx, dir)
	if err != nil || !i.Running && !sameProcess(i) {
		return err
	}
	accepted := false
	if i.Running {
		_, err := adminRequest(ctx, i, http.MethodPost, "stop")
		accepted = err == nil
	}
	if !accepted {
		// The endpoint hangs, is starting or is stopping. Signal the process only if its PID and start time match those that
		// the endpoint wrote.
		if !sameProcess(i) {
			return nil
		}
		if err := terminate(i.PID); err != nil {
			return err
		}
	}
	grace := stopTimeout
	if i.Hangs {
		grace = hangTimeout
	}
	if waitEnded(ctx, dir, i, grace) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if sameProcess(i) {
		if err := kill(i.PID); err != nil {
			return err
		}
	}
	if waitEnded(ctx, dir, i, killTimeout) {
		return nil
	}
	return fault.New(fault.Timeout,
		i18n.M("The local endpoint (process {{.PID}}) does not stop.", "PID", i.PID),
		i18n.M("End the process, then start the endpoint again with 'ibmcloud fn-runtime local start'."))
}

// waitEnded waits until the process of i has ended. It returns false if this does not happen within the given time.
func waitEnded(ctx context.Context, dir string, i Info, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for sameProcess(i) || i.ProcessMark == "" && stillRecorded(dir, i) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// stillRecorded reports whether the endpoint's file still contains the PID of i. It is used on systems without process
// marks.
func stillRecorded(dir string, i Info) bool {
	now, err := readInfo(dir)
	return err != nil || now.PID == i.PID
}
