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

// defaultTimeout is OpenWhisk's for actions that name none.
const defaultTimeout = time.Minute

// patience is how long the end of a log, or the reason of a death, may take to arrive.
const patience = 2 * time.Second

// Run runs one activation: it waits for a worker, initialises it when it is new, and runs the action. /init and /run have
// the action's time limit each, as in OpenWhisk; the wait has none but ctx.
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
	good := false
	defer func() { v.pool.release(w, good) }()

	cold := w.sandbox == nil
	if cold {
		s, err := v.starter.Start(ctx, sandbox.Spec{Python: inv.Python, Image: inv.Image, MemoryMB: inv.MemoryMB, LogsMB: inv.LogsMB, Env: inv.Extra, InjectProxy: inv.InjectProxy})
		if err != nil {
			return unstartable(err, time.Since(begin).Milliseconds())
		}
		v.pool.started(w, s)
	}
	if err := w.sandbox.Wake(ctx); err != nil {
		return invoke.Outcome{}, err
	}
	if inv.Started != nil {
		inv.Started()
	}
	a := activation{inv: inv, worker: w, room: v.room, limit: time.Duration(inv.TimeoutMS) * time.Millisecond}
	if a.limit <= 0 {
		a.limit = defaultTimeout
	}
	a.out.WaitMS, a.out.Cold = time.Since(begin).Milliseconds(), cold
	good, err = a.run(ctx)
	return a.out, err
}

// unstartable is the outcome of an action whose image or interpreter is at fault. As in OpenWhisk that is the developer's
// error, and the answer says what it is; anything else is the invoker's own error.
func unstartable(err error, waitMS int64) (invoke.Outcome, error) {
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
	inv    invoke.Invocation
	worker *worker
	room   Room
	limit  time.Duration
	out    invoke.Outcome
}

// run fills a.out and tells whether the worker may be used again.
func (a *activation) run(ctx context.Context) (good bool, err error) {
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
		a.end(broken(err, a.worker.sandbox, a.limit, false))
		return false, nil
	}
	a.out.Size = reply.size
	complete := a.end(judge(reply))
	return complete && reply.size <= resultLimit, nil
}

// init initialises a new worker. Where that fails it fills a.out, or returns an error.
func (a *activation) init(ctx context.Context) (ready bool, err error) {
	code, err := a.inv.Code()
	if err != nil {
		return false, err
	}
	release, err := a.room.reserve(a.inv.Binary, code)
	if err != nil {
		a.out, err = unstartable(err, a.out.WaitMS)
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
		a.end(broken(err, a.worker.sandbox, a.limit, true))
		return false, nil
	case reply.status != http.StatusOK:
		a.out.Size = reply.size
		a.end(judgeInit(reply))
		return false, nil
	}
	return true, nil
}

// send posts to the proxy within the action's time limit. When the answer stays away, the sandbox is dead when send
// returns, so that its log is complete and the reason of its death known.
func (a *activation) send(ctx context.Context, path string, body []byte) (answer, error) {
	timed, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	s := a.worker.sandbox
	died := make(chan struct{})
	go func() { // a child that has inherited the connection could keep it open
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
		err = errors.Join(errDied, err)
	default:
		if timed.Err() == context.DeadlineExceeded {
			err = context.DeadlineExceeded
			break
		}
		select {
		case <-s.Done():
		case <-ctx.Done():
		case <-time.After(patience):
		}
		err = errDied
	}
	s.Close()
	return answer{}, err
}

var errDied = errors.New("the sandbox has ended")

// end waits for the end of the log and completes the outcome. It tells whether the log was complete.
func (a *activation) end(o invoke.Outcome) bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	logs := a.worker.sandbox.Logs()
	complete := logs.Wait(ctx)
	if !complete && o.Status == invoke.Success {
		logs.Note(logsIncomplete)
	}
	a.out.Status, a.out.Result, a.out.Logs = o.Status, o.Result, logs.Take()
	return complete
}
