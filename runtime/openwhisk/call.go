package openwhisk

import (
	"bytes"
	"context"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Intervals between polls of an activation that did not finish within the blocking wait.
const (
	pollFirst = 250 * time.Millisecond
	pollLast  = 4 * time.Second
)

// Call invokes a runtime for its metadata and waits until the activation has finished or ctx is done.
func (c *Compute) Call(ctx context.Context, id entity.ID) (entity.Activation, error) {
	payload, err := lithops.Payload(c.contract.Version)
	if err != nil {
		return entity.Activation{}, err
	}
	run, err := c.client.invoke(ctx, id.Group, id.Name, payload)
	run, err = c.waitUntilDone(ctx, run, err)
	for tries := 1; tries < platformTries && retryable(run, err) && ctx.Err() == nil; tries++ {
		run, err = c.client.invokeAsync(ctx, id.Group, id.Name, payload)
		run, err = c.waitUntilDone(ctx, run, err)
	}
	return run, err
}

// platformTries is the maximum number of invocations if the platform fails and not the runtime. The first pull of an
// image may exceed a time limit of a gateway or of the platform.
const platformTries = 3

// platformError is the status code of a "whisk internal error".
const platformError = 3

// retryable reports whether an invocation failed before the runtime could respond, for a reason that may be
// temporary. This is the case if a gateway or the platform ended the invocation, unless the image could not be
// pulled.
func retryable(run entity.Activation, err error) bool {
	if err != nil {
		return fault.Is(err, fault.Timeout) || fault.Is(err, fault.Unavailable)
	}
	return run.StatusCode == platformError && !bytes.Contains(run.Result, []byte("Failed to pull"))
}

// waitUntilDone polls an activation until it has finished.
func (c *Compute) waitUntilDone(ctx context.Context, run entity.Activation, err error) (entity.Activation, error) {
	for pause := pollFirst; err == nil && !run.Done; pause = min(pause*3/2, pollLast) {
		if err := parallel.Sleep(ctx, pause); err != nil {
			return run, err
		}
		started := run.ID
		run, err = c.client.activation(ctx, started)
		if fault.Is(err, fault.NotFound) { // the record is written when the activation ends
			run, err = entity.Activation{ID: started}, nil
		}
	}
	return run, err
}

// GetActivation returns the current record of an activation. Logs are collected after the activation has finished.
func (c *Compute) GetActivation(ctx context.Context, id string) (entity.Activation, error) {
	return c.client.activation(ctx, id)
}
