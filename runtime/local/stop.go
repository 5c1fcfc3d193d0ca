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

// stopTimeout is how long a stop waits for the process to end: its own grace for activations, requests and invoker,
// and some more.
const stopTimeout = time.Minute

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
	if i.Running = alive(ctx, i); !i.Running && !same(i) {
		i.PID = 0
	}
	return i, nil
}

// same tells whether the process that the file names is still that one, and not another that got its number.
func same(i Info) bool {
	return i.PID > 0 && i.ProcessMark != "" && processMark(i.PID) == i.ProcessMark
}

// Stop ends the endpoint in dir and waits until it has ended. One that does not run is no error.
func Stop(ctx context.Context, dir string) error {
	return fault.During(i18n.M("Stopping the local endpoint"), stop(ctx, dir))
}

func stop(ctx context.Context, dir string) error {
	i, err := status(ctx, dir)
	if err != nil || !i.Running && !same(i) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
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
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := readInfo(dir)
		if err == nil && now.PID != i.PID && !same(i) {
			return nil
		}
		if i.ProcessMark != "" && !same(i) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if !same(i) {
				return nil
			}
			return fault.New(fault.Timeout,
				i18n.M("The local endpoint, process {{.PID}}, does not end.", "PID", i.PID),
				i18n.M("End the process, then start the endpoint again with 'ibmcloud fn-runtime local start'.")).Because(ctx.Err())
		}
	}
}
