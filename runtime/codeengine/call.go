package codeengine

import (
	"context"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// The pauses between two looks at a run.
const (
	pollFirst = 500 * time.Millisecond
	pollLast  = 4 * time.Second
)

// looksPending is after how many looks at a run that has not begun its code is looked for.
const looksPending = 5

// cleanTime bounds the removal of what a call has made.
const cleanTime = 30 * time.Second

// metaPrefix begins the names of the runs for metadata, and of the config maps with what these need. Each has a name of
// its own: the client's is the same for everybody in the project.
const metaPrefix = ownPrefix + "meta-"

// Call runs a job once for its metadata, which the worker leaves in the bucket, and waits until ctx ends. The run needs the
// keys of the bucket: it gets them in a config map, which is removed with the run whatever happens.
func (c *Compute) Call(ctx context.Context, id entity.ID) (a entity.Activation, err error) {
	name := callName()
	payload, err := c.o.Payload(name)
	if err != nil {
		return a, err
	}
	c.mu.Lock()
	c.own[name] = true
	c.mu.Unlock()
	stopSweeping := c.sweep(ctx)
	defer stopSweeping()
	defer func() { err = errors.Join(err, c.clear(ctx, name)) }()
	if err := c.client.ensureConfigMap(ctx, configMapDoc{Name: name, Data: map[string]string{lithops.PayloadKey: payload}}); err != nil {
		return a, err
	}
	run, err := c.start(ctx, id.Name, name)
	if err == nil {
		run, err = c.follow(ctx, run)
	}
	if err != nil {
		return c.activation(run), err
	}
	a = c.activation(run)
	if a.Success {
		a.Result, err = c.o.Bucket.Get(ctx, lithops.JobMetadataKey(name))
		if fault.Is(err, fault.NotFound) {
			a.Success, a.Cause, err = false, silent(run), nil
		}
	}
	return a, err
}

// start begins the run. A conflict is that of the service, which is busy, or of the answer to a first request that was lost.
func (c *Compute) start(ctx context.Context, job, name string) (run runDoc, err error) {
	none := 0
	r := runDoc{Name: name, JobName: job, ArraySpec: "0-0", RetryLimit: &none, Env: []variable{
		literal(actionEnv, "metadata"), literal(typeEnv, runtimeType), literal(versionEnv, c.o.Contract.Version),
		{Type: "config_map_key_reference", Name: "PAYLOAD", Reference: name, Key: lithops.PayloadKey},
	}}
	for range conflictTries {
		run, err = c.client.startRun(ctx, r)
		if !fault.Is(err, fault.Conflict) {
			return run, err
		}
		if run, lost := c.client.getRun(ctx, name); lost == nil {
			return run, nil
		}
		if err := parallel.Sleep(ctx, pollLast); err != nil {
			return run, err
		}
	}
	return run, err
}

// follow looks at a run until it has ended. One that has not when the time is over is not an error: what it was last seen
// at says why.
func (c *Compute) follow(ctx context.Context, run runDoc) (runDoc, error) {
	for looks, pause := 1, pollFirst; ; looks, pause = looks+1, min(pause*3/2, pollLast) {
		if done, _ := run.ended(); done {
			return run, nil
		}
		if looks%looksPending == 0 && run.pending() {
			if err := c.restore(ctx, run.JobName); err != nil {
				return run, err
			}
		}
		if err := parallel.Sleep(ctx, pause); fault.Is(err, fault.Timeout) {
			return run, nil
		} else if err != nil {
			return run, err
		}
		now, err := c.client.getRun(ctx, run.Name)
		switch {
		case err == nil:
			run = now
		case fault.Is(err, fault.NotFound):
			return run, fault.New(fault.Conflict, i18n.M("Job run {{.Name}} was deleted by another client.", "Name", run.Name), i18n.M("Rerun the command."))
		case ctx.Err() == nil:
			return run, err
		}
	}
}

func (c *Compute) activation(run runDoc) entity.Activation {
	done, success := run.ended()
	a := entity.Activation{ID: run.Name, Done: done, Success: success, Status: run.Status, Start: run.CreatedAt}
	if d := run.Details; d != nil && !d.StartTime.IsZero() && !d.CompletionTime.IsZero() {
		a.WaitMS = max(0, d.StartTime.Sub(run.CreatedAt).Milliseconds())
		a.DurationMS = max(0, d.CompletionTime.Sub(d.StartTime).Milliseconds())
	}
	if !success {
		a.StatusCode, a.Cause = 1, cause(run)
	}
	return a
}

// clear removes what a call has made, also when the command is interrupted.
func (c *Compute) clear(ctx context.Context, name string) error {
	ctx, cancel := grace.Context(ctx, cleanTime)
	defer cancel()
	return parallel.Run(ctx,
		func(ctx context.Context) error { return c.removeRun(ctx, name) },
		func(ctx context.Context) error { return c.removeConfigMap(ctx, name) },
		func(ctx context.Context) error {
			err := c.o.Bucket.Delete(ctx, lithops.JobMetadataKey(name))
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			return err
		})
}

// Called says nothing: the service's API keeps no logs, and the run is gone.
func (c *Compute) GetActivation(_ context.Context, id string) (entity.Activation, error) {
	return entity.Activation{ID: id}, nil
}
