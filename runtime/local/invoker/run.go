package invoker

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/sandbox"
	"fn-runtime/runtime/local/invoke"
)

// defaultTimeout is OpenWhisk's time limit for actions that do not specify one.
const defaultTimeout = time.Minute

// endTimeout is how long to wait for the end of a log, or for a sandbox to end after its connection has failed.
const endTimeout = 2 * time.Second

// Run runs one activation. It waits for a worker, initializes the worker if it is new, and runs the action. As in
// OpenWhisk, the action's time limit applies to /init and to /run separately. The wait for a worker is limited only by
// ctx.
func (v *Invoker) Run(ctx context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	v.running.Add(1)
	defer v.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(v.ctx, cancel)()

	begin := time.Now()
	w, err := v.pool.acquire(ctx, keyOf(inv))
	if err != nil {
		return invoke.Outcome{}, err
	}
	reusable := false
	defer func() { v.pool.release(w, reusable) }()

	cold := w.sandbox == nil
	if cold {
		s, err := v.starter.Start(ctx, sandbox.Spec{Python: inv.Python, Image: inv.Image, MemoryMB: inv.MemoryMB, LogsMB: inv.LogsMB, Env: inv.ExtraEnv, InjectProxy: inv.InjectProxy})
		if err != nil {
			return startFailure(err, time.Since(begin).Milliseconds())
		}
		v.pool.setSandbox(w, s)
	}
	if err := w.sandbox.Wake(ctx); err != nil {
		return invoke.Outcome{}, err
	}
	if inv.Started != nil {
		inv.Started()
	}
	a := activation{inv: inv, worker: w, reserve: v.reserve, limit: time.Duration(inv.TimeoutMS) * time.Millisecond}
	if a.limit <= 0 {
		a.limit = defaultTimeout
	}
	a.out.WaitMS, a.out.Cold = time.Since(begin).Milliseconds(), cold
	reusable, err = a.run(ctx)
	return a.out, err
}

// startFailure returns the outcome of an action that cannot start because of its image, interpreter or code. As in
// OpenWhisk, its status is DeveloperError and its result contains the reason. Other errors are errors of the invoker;
// startFailure returns them unchanged.
func startFailure(err error, waitMS int64) (invoke.Outcome, error) {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return invoke.Outcome{}, err
	}
	switch f.Kind {
	case fault.NotFound, fault.Invalid, fault.Denied, fault.Failed:
	default:
		return invoke.Outcome{}, err
	}
	text := f.Reason.String()
	if !f.Recovery.IsZero() {
		text += " " + f.Recovery.String()
	}
	result, jsonErr := json.Marshal(map[string]string{"error": text})
	return invoke.Outcome{Status: invoke.DeveloperError, Result: result, Logs: f.Details, WaitMS: waitMS, Cold: true}, jsonErr
}

// activation is one activation on its worker.
type activation struct {
	inv     invoke.Invocation
	worker  *worker
	reserve ReserveFunc
	limit   time.Duration
	out     invoke.Outcome
}

// run runs the activation, sets a.out and reports whether the worker is reusable.
func (a *activation) run(ctx context.Context) (reusable bool, err error) {
	if a.out.Cold {
		if ready, err := a.init(ctx); !ready {
			return false, err
		}
	}
	begin := time.Now()
	body, err := runBody(a.inv, begin.Add(a.limit))
	if err != nil {
		return false, err
	}
	reply, err := a.send(ctx, "/run", body)
	a.out.RunMS = time.Since(begin).Milliseconds()
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		a.finish(noResponse(err, a.worker.sandbox, a.limit, false))
		return false, nil
	}
	a.out.Size = reply.size
	complete := a.finish(runOutcome(reply))
	return complete && reply.size <= resultLimit, nil
}

// init initializes a new worker. If this fails, init sets a.out or returns an error.
func (a *activation) init(ctx context.Context) (ready bool, err error) {
	code, err := a.inv.Code()
	if err != nil {
		return false, err
	}
	release, err := a.reserve.forCode(a.inv.Binary, code)
	if err != nil {
		a.out, err = startFailure(err, a.out.WaitMS)
		return false, err
	}
	defer release()
	body, err := initBody(a.inv, code)
	if err != nil {
		return false, err
	}
	begin := time.Now()
	reply, err := a.send(ctx, "/init", body)
	a.out.InitMS = max(1, time.Since(begin).Milliseconds())
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		a.finish(noResponse(err, a.worker.sandbox, a.limit, true))
		return false, nil
	case reply.status != http.StatusOK:
		a.out.Size = reply.size
		a.finish(initFailure(reply))
		return false, nil
	}
	return true, nil
}

// send sends a request to the proxy and applies the action's time limit. If there is no response, send closes the
// sandbox before it returns, so that the log is complete and OutOfMemory is valid. It returns context.DeadlineExceeded
// if the action exceeded its time limit.
func (a *activation) send(ctx context.Context, path string, body []byte) (response, error) {
	timed, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	s := a.worker.sandbox
	died := make(chan struct{})
	go func() { // the connection may stay open after the proxy has ended, because child processes can inherit it
		select {
		case <-s.Done():
			close(died)
			cancel()
		case <-timed.Done():
		}
	}()
	reply, err := post(timed, a.worker.client, path, body)
	if err == nil {
		return reply, nil
	}
	select {
	case <-died:
		err = errors.Join(errSandboxEnded, err)
	default:
		if timed.Err() == context.DeadlineExceeded {
			err = context.DeadlineExceeded
			break
		}
		select {
		case <-s.Done():
		case <-ctx.Done():
		case <-time.After(endTimeout):
		}
		err = errSandboxEnded
	}
	s.Close()
	return response{}, err
}

var errSandboxEnded = errors.New("the sandbox has ended")

// finish waits for the end of the log, sets the status, result and log of the outcome, and reports whether the log is
// complete.
func (a *activation) finish(o invoke.Outcome) bool {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	logs := a.worker.sandbox.Logs()
	complete := logs.Wait(ctx)
	if !complete && o.Status == invoke.Success {
		logs.Note(logsIncomplete)
	}
	a.out.Status, a.out.Result, a.out.Logs = o.Status, o.Result, logs.Take()
	return complete
}
