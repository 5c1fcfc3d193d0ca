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

// How long a stop waits: for the process to end by itself, which has its own grace for activations, requests and
// invoker, and some more; for one that hangs to come to; and for one that was killed to be gone.
const (
	stopTimeout = time.Minute
	hangTimeout = 5 * time.Second
	killTimeout = 5 * time.Second
)

// Status tells of the endpoint in dir. An endpoint that was never started is an empty Info that does not run.
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
	if i.Running, i.Hangs = alive(ctx, i); !i.Running && !same(i) {
		i.PID = 0
	}
	return i, nil
}

// same reports whether the process that the file names is still that one, and not another that got its number.
func same(i Info) bool {
	return i.PID > 0 && i.ProcessMark != "" && processMark(i.PID) == i.ProcessMark
}

// Stop ends the endpoint in dir and waits until it has ended; one that does not end by itself is killed. One that does
// not run is no error.
func Stop(ctx context.Context, dir string) error {
	return fault.During(i18n.M("Stopping the local endpoint"), stop(ctx, dir))
}

func stop(ctx context.Context, dir string) error {
	i, err := status(ctx, dir)
	if err != nil || !i.Running && !same(i) {
		return err
	}
	asked := false
	if i.Running {
		_, err := ask(ctx, i, http.MethodPost, "stop")
		asked = err == nil
	}
	if !asked {
		// It hangs, or is about to start or to end. It is ours: number and start time match what it wrote.
		if !same(i) {
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
	if ended(ctx, dir, i, grace) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if same(i) {
		if err := kill(i.PID); err != nil {
			return err
		}
	}
	if ended(ctx, dir, i, killTimeout) {
		return nil
	}
	return fault.New(fault.Timeout,
		i18n.M("The local endpoint (process {{.PID}}) does not stop.", "PID", i.PID),
		i18n.M("End the process, then start the endpoint again with 'ibmcloud fn-runtime local start'."))
}

// ended waits until the endpoint that i describes is gone, or its successor is there, and reports whether it is.
func ended(ctx context.Context, dir string, i Info, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for same(i) || i.ProcessMark == "" && written(dir, i) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// written reports whether the folder still names the process of i, which a system without marks has to go by.
func written(dir string, i Info) bool {
	now, err := readInfo(dir)
	return err != nil || now.PID == i.PID
}
