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

// Intervals between polls of a job run.
const (
	pollFirst = 500 * time.Millisecond
	pollLast  = 4 * time.Second
)

// restorePolls is the number of polls after which Call checks whether the code of a pending run was deleted, and
// restores it.
const restorePolls = 5

// cleanUpTimeout is the time limit for deleting the resources of a call.
const cleanUpTimeout = 30 * time.Second

// metadataPrefix is the prefix of the metadata runs and of their config maps. Each run has a unique name, unlike the
// metadata run of the Lithops client, which has the same name for all users of a project.
const metadataPrefix = ownPrefix + "meta-"

// Call runs a job once for its metadata and waits until the run has ended or ctx is done. The worker writes the
// metadata to the bucket. The run reads the keys of the bucket from a config map. Call always deletes the run and the
// config map.
func (c *Compute) Call(ctx context.Context, id entity.ID) (a entity.Activation, err error) {
	name := newRunName()
	payload, err := c.o.Payload(name)
	if err != nil {
		return a, err
	}
	c.mu.Lock()
	c.ownRuns[name] = true
	c.mu.Unlock()
	waitForSweep := c.sweep(ctx)
	defer waitForSweep()
	defer func() { err = errors.Join(err, c.cleanUp(ctx, name)) }()
	if err := c.client.ensureConfigMap(ctx, configMapDoc{Name: name, Data: map[string]string{lithops.PayloadKey: payload}}); err != nil {
		return a, err
	}
	run, err := c.start(ctx, id.Name, name)
	if err == nil {
		run, err = c.waitUntilDone(ctx, run)
	}
	if err != nil {
		return c.activation(run), err
	}
	a = c.activation(run)
	if a.Success {
		a.Result, err = c.o.Bucket.Get(ctx, lithops.JobMetadataKey(name))
		if fault.Is(err, fault.NotFound) {
			a.Success, a.Cause, err = false, missingMetadata(run), nil
		}
	}
	return a, err
}

// start starts the run. A conflict means that the service is busy, or that the response to a first request was lost.
func (c *Compute) start(ctx context.Context, job, name string) (run runDoc, err error) {
	noRetries := 0
	r := runDoc{Name: name, JobName: job, ArraySpec: "0-0", RetryLimit: &noRetries, Env: []variable{
		literal(actionEnv, "metadata"), literal(typeEnv, runtimeType), literal(versionEnv, c.o.Contract.Version),
		{Type: "config_map_key_reference", Name: "PAYLOAD", Reference: name, Key: lithops.PayloadKey},
	}}
	for range conflictTries {
		run, err = c.client.startRun(ctx, r)
		if !fault.Is(err, fault.Conflict) {
			return run, err
		}
		if run, getErr := c.client.getRun(ctx, name); getErr == nil {
			return run, nil
		}
		if err := parallel.Sleep(ctx, pollLast); err != nil {
			return run, err
		}
	}
	return run, err
}

// waitUntilDone polls a run until it has ended. A timeout is not an error because the last state of the run shows the
// cause.
func (c *Compute) waitUntilDone(ctx context.Context, run runDoc) (runDoc, error) {
	for polls, pause := 1, pollFirst; ; polls, pause = polls+1, min(pause*3/2, pollLast) {
		if done, _ := run.ended(); done {
			return run, nil
		}
		if polls%restorePolls == 0 && run.pending() {
			if err := c.restoreCode(ctx, run.JobName); err != nil {
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
		a.StatusCode, a.Cause = 1, failureCause(run)
	}
	return a
}

// cleanUp deletes the resources of a call, even if the command is interrupted.
func (c *Compute) cleanUp(ctx context.Context, name string) error {
	ctx, cancel := grace.Context(ctx, cleanUpTimeout)
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

// GetActivation returns no details: the API of the service keeps no logs, and the run has been deleted.
func (c *Compute) GetActivation(_ context.Context, id string) (entity.Activation, error) {
	return entity.Activation{ID: id}, nil
}
