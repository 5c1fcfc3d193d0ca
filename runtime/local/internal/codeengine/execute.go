package codeengine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// run is a job run that has not ended, or whose end is not recorded yet.
type run struct {
	id       string
	project  state.Project
	resource state.Resource
	ctx      context.Context
	end      context.CancelCauseFunc

	mu  sync.Mutex
	rec record
}

func (r *run) snapshot() []instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]instance(nil), r.rec.Instances...)
}

// change changes the i-th instance.
func (r *run) change(i int, how func(*instance)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	how(&r.rec.Instances[i])
}

// launch runs a job run apart from the request that made it.
func (a *api) launch(p state.Project, res state.Resource) error {
	r := &run{id: res.ID, project: p, resource: res}
	if err := json.Unmarshal(res.Doc, &r.rec); err != nil {
		return err
	}
	ended, ok := a.tasks.Begin()
	if !ok {
		_, _ = a.DB.DeleteResource(p.ID, "job_runs", res.Name)
		return errStopping
	}
	r.ctx, r.end = context.WithCancelCause(a.tasks.Context())
	a.mu.Lock()
	a.live[r.id] = r
	a.mu.Unlock()
	go func() {
		defer ended()
		defer r.end(nil)
		if _, err := a.DB.Resource(p.ID, "job_runs", res.Name); err != nil { // deleted before it was among the live
			r.end(err)
		}
		a.execute(r)
		a.settle(r)
		a.mu.Lock()
		delete(a.live, r.id)
		a.mu.Unlock()
	}()
	return nil
}

// settle records how a run has ended. A disk that is full for a while must not leave its client waiting for ever.
func (a *api) settle(r *run) {
	r.mu.Lock()
	r.rec.fail("Ended", a.Now().UnixMilli()) // those that were killed
	rec := r.rec
	r.mu.Unlock()
	for {
		err := a.keep(r.project.ID, r.resource, rec)
		if err == nil {
			return
		}
		a.Log.Error("job run not recorded", "run", r.resource.Name, "error", err.Error())
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// waitForMap is the time between two looks for what a run refers to.
const waitForMap = time.Second

// execute runs the instances, as many at once as there are places.
func (a *api) execute(r *run) {
	w, err := a.work(r)
	if err != nil {
		a.Log.Warn("job run cannot start", "run", r.resource.Name, "error", err.Error())
	}
	for ; err != nil; w, err = a.work(r) { // a pod whose config map or secret is not there waits for it
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(waitForMap):
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	for i := range r.rec.Instances {
		if a.places.Acquire(r.ctx, 1) != nil {
			return
		}
		all.Go(func() {
			defer a.places.Release(1)
			a.attempts(r, w, i)
		})
	}
}

// attempts runs one instance until it succeeds or has had all its retries.
func (a *api) attempts(r *run, w *work, i int) {
	var deadline time.Time
	for n := 0; ; n++ {
		started := func() {
			now := a.Now()
			if deadline.IsZero() && w.limit > 0 {
				deadline = now.Add(w.limit)
			}
			r.change(i, func(x *instance) {
				x.Status, x.Retries = "running", n
				if x.Started == 0 {
					x.Started = now.UnixMilli()
				}
			})
		}
		left := w.limit
		if !deadline.IsZero() {
			left = max(deadline.Sub(a.Now()), time.Millisecond)
		}
		reason, again := a.attempt(r, w, i, n, left, started)
		if r.ctx.Err() != nil {
			return
		}
		again = again && n < w.retries
		r.change(i, func(x *instance) {
			if reason != "" {
				x.Reason = reason
			}
			switch {
			case again:
				return
			case reason == "":
				x.Status = "succeeded"
			default:
				x.Status = "failed"
			}
			x.Finished = a.Now().UnixMilli()
		})
		if !again {
			return
		}
	}
}

// tooLong is the reason of an instance that has had all its time.
const tooLong = "DeadlineExceeded"

// attempt runs one instance once. It returns why it failed, "" when it did not, and whether another attempt is due.
func (a *api) attempt(r *run, w *work, i, n int, left time.Duration, started func()) (reason string, again bool) {
	args, err := json.Marshal(w.arguments(r.rec.Instances[i].Index, n))
	if err != nil {
		return err.Error(), false
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	inv := invoke.Invocation{
		ActivationID: hex.EncodeToString(id), Namespace: r.project.ID, NamespaceID: r.project.ID, Action: r.resource.Name, Version: "0.0.1",
		Revision: w.revision, Kind: "python:3", Image: w.image, Bare: true, Binary: true, Code: func() (string, error) { return w.archive, nil },
		MemoryMB: w.memoryMB, TimeoutMS: int(left.Milliseconds()), Python: w.python, Args: args, Deadline: a.Now().Add(left), Extra: a.Extra, Started: started,
	}
	out, err := a.guarded(r.ctx, inv)
	if r.ctx.Err() != nil {
		return "", false
	}
	var result struct {
		Exit  int    `json:"exit"`
		Error string `json:"error"`
	}
	if err == nil {
		err = json.Unmarshal(out.Result, &result)
	}
	switch {
	case err != nil:
		reason = "InternalError"
		result.Error = err.Error()
	case out.Status == invoke.Success && result.Exit == 0:
		return "", false
	case out.Status == invoke.Success && result.Exit == killed:
		// Nobody but the kernel and our own watch over the memory kills the command alone.
		reason, again = "OOMKilled", true
	case out.Status == invoke.Success:
		reason, again = fmt.Sprintf("ContainerExitedCode%d", result.Exit), true
	case out.Cold && out.InitMS == 0: // no worker could be started: the image or the interpreter is at fault
		reason = "ContainerNotStarted"
	case out.InitMS+out.RunMS >= left.Milliseconds():
		reason = tooLong
	default: // the worker has ended with the command: all of it together had too much memory
		reason, again = "OOMKilled", true
	}
	last := out.Logs[max(0, len(out.Logs)-lastWords):]
	text := strings.Join(last, "\n")
	a.Log.Warn("job run instance failed", "run", r.resource.Name, "index", r.rec.Instances[i].Index, "reason", reason,
		"error", result.Error, "output", text[max(0, len(text)-lastBytes):])
	return reason, again
}

// How much of the output of a failed instance the log of the endpoint has: the service's API gives none at all.
const (
	lastWords = 10
	lastBytes = 2000
	killed    = 128 + 9
)

// guarded runs an activation so that a fault of the invoker ends that activation, not the endpoint.
func (a *api) guarded(ctx context.Context, inv invoke.Invocation) (out invoke.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the invoker failed: %v", p)
		}
	}()
	return a.Invoker.Run(ctx, inv)
}
