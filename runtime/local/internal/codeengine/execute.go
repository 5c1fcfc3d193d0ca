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

// run is a job run that has not ended, or whose end has not been recorded yet.
type run struct {
	id       string
	project  state.Project
	resource state.Resource
	ctx      context.Context
	cancel   context.CancelCauseFunc

	mu  sync.Mutex
	rec record
}

func (r *run) snapshot() []instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]instance(nil), r.rec.Instances...)
}

// update calls change for the i-th instance.
func (r *run) update(i int, change func(*instance)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.rec.Instances[i])
}

// startRun executes a job run in the background.
func (a *api) startRun(p state.Project, res state.Resource) error {
	r := &run{id: res.ID, project: p, resource: res}
	if err := json.Unmarshal(res.Doc, &r.rec); err != nil {
		return err
	}
	ended, ok := a.tasks.Begin()
	if !ok {
		_, _ = a.DB.DeleteResource(p.ID, "job_runs", res.Name)
		return errStopping
	}
	r.ctx, r.cancel = context.WithCancelCause(a.tasks.Context())
	a.mu.Lock()
	a.activeRuns[r.id] = r
	a.mu.Unlock()
	go func() {
		defer ended()
		defer r.cancel(nil)
		if _, err := a.DB.Resource(p.ID, "job_runs", res.Name); err != nil { // the run was deleted before it was in activeRuns
			r.cancel(err)
		}
		a.execute(r)
		a.recordEnd(r)
		a.mu.Lock()
		delete(a.activeRuns, r.id)
		a.mu.Unlock()
	}()
	return nil
}

// recordEnd records how a run has ended. It retries, because the disk may be full temporarily, and a client must not
// wait forever.
func (a *api) recordEnd(r *run) {
	r.mu.Lock()
	r.rec.failUnfinished("Ended", a.Now().UnixMilli()) // these instances were killed
	rec := r.rec
	r.mu.Unlock()
	for {
		err := a.saveRun(r.project.ID, r.resource, rec)
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

// resolveInterval is the time between two attempts to resolve the references of a run.
const resolveInterval = time.Second

// execute runs the instances of a run. instanceSlots limits the number of concurrent instances.
func (a *api) execute(r *run) {
	w, err := a.instanceConfig(r)
	if err != nil {
		a.Log.Warn("job run cannot start", "run", r.resource.Name, "error", err.Error())
	}
	for ; err != nil; w, err = a.instanceConfig(r) { // like a pod, the run waits for missing config maps and secrets
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(resolveInterval):
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	for i := range r.rec.Instances {
		if a.instanceSlots.Acquire(r.ctx, 1) != nil {
			return
		}
		all.Go(func() {
			defer a.instanceSlots.Release(1)
			a.runInstance(r, w, i)
		})
	}
}

// runInstance runs an instance until it succeeds, fails permanently or has used all its retries.
func (a *api) runInstance(r *run, w *instanceConfig, i int) {
	var deadline time.Time
	for n := 0; ; n++ {
		started := func() {
			now := a.Now()
			if deadline.IsZero() && w.limit > 0 {
				deadline = now.Add(w.limit)
			}
			r.update(i, func(x *instance) {
				x.Status, x.Retries = "running", n
				if x.Started == 0 {
					x.Started = now.UnixMilli()
				}
			})
		}
		timeLeft := w.limit
		if !deadline.IsZero() {
			timeLeft = max(deadline.Sub(a.Now()), time.Millisecond)
		}
		reason, retry := a.runAttempt(r, w, i, n, timeLeft, started)
		if r.ctx.Err() != nil {
			return
		}
		retry = retry && n < w.retries
		r.update(i, func(x *instance) {
			if reason != "" {
				x.Reason = reason
			}
			switch {
			case retry:
				return
			case reason == "":
				x.Status = "succeeded"
			default:
				x.Status = "failed"
			}
			x.Finished = a.Now().UnixMilli()
		})
		if !retry {
			return
		}
	}
}

// deadlineExceeded is the failure reason of an instance that has used all its time.
const deadlineExceeded = "DeadlineExceeded"

// runAttempt runs an instance once. It returns the reason of a failure, or "" if it succeeded, and whether to retry.
func (a *api) runAttempt(r *run, w *instanceConfig, i, n int, timeLeft time.Duration, started func()) (reason string, retry bool) {
	args, err := json.Marshal(w.arguments(r.rec.Instances[i].Index, n))
	if err != nil {
		return err.Error(), false
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	inv := invoke.Invocation{
		ActivationID: hex.EncodeToString(id), Namespace: r.project.ID, NamespaceID: r.project.ID, Action: r.resource.Name, Version: "0.0.1",
		Revision: w.revision, Kind: "python:3", Image: w.image, InjectProxy: true, Binary: true, Code: func() (string, error) { return w.archive, nil },
		MemoryMB: w.memoryMB, TimeoutMS: int(timeLeft.Milliseconds()), Python: w.python, Args: args, Deadline: a.Now().Add(timeLeft), ExtraEnv: a.ExtraEnv, Started: started,
	}
	out, err := a.invokeRecovering(r.ctx, inv)
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
	case out.Status == invoke.Success && result.Exit == exitKilled:
		// Only the kernel and the memory limit of the worker kill the command alone.
		reason, retry = "OOMKilled", true
	case out.Status == invoke.Success:
		reason, retry = fmt.Sprintf("ContainerExitedCode%d", result.Exit), true
	case out.Cold && out.InitMS == 0: // no worker could be started: the image or the interpreter is faulty
		reason = "ContainerNotStarted"
	case out.InitMS+out.RunMS >= timeLeft.Milliseconds():
		reason = deadlineExceeded
	default: // the worker was killed together with the command: both together exceeded the memory limit
		reason, retry = "OOMKilled", true
	}
	last := out.Logs[max(0, len(out.Logs)-lastLines):]
	text := strings.Join(last, "\n")
	a.Log.Warn("job run instance failed", "run", r.resource.Name, "index", r.rec.Instances[i].Index, "reason", reason,
		"error", result.Error, "output", text[max(0, len(text)-lastBytes):])
	return reason, retry
}

// Limits for the output of a failed instance in the log of the endpoint. The API of the service does not return any
// output.
const (
	lastLines  = 10
	lastBytes  = 2000
	exitKilled = 128 + 9
)

// invokeRecovering runs an activation. A panic of the invoker fails the activation, but does not crash the endpoint.
func (a *api) invokeRecovering(ctx context.Context, inv invoke.Invocation) (out invoke.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the invoker failed: %v", p)
		}
	}()
	return a.Invoker.Run(ctx, inv)
}
