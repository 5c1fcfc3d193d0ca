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

// The pauses between two looks at an activation that outlasts the blocking wait.
const (
	pollFirst = 250 * time.Millisecond
	pollLast  = 4 * time.Second
)

// Call asks a runtime for its metadata and follows the activation until it is done, or ctx is.
func (c *Compute) Call(ctx context.Context, id entity.ID) (entity.Activation, error) {
	payload, err := lithops.Payload(c.contract.Version)
	if err != nil {
		return entity.Activation{}, err
	}
	run, err := c.client.invoke(ctx, id.Group, id.Name, payload)
	run, err = c.follow(ctx, run, err)
	for tries := 1; tries < platformTries && cut(run, err) && ctx.Err() == nil; tries++ {
		run, err = c.client.start(ctx, id.Group, id.Name, payload)
		run, err = c.follow(ctx, run, err)
	}
	return run, err
}

// platformTries is how often a runtime is called whose call the platform failed at, not the runtime: while its image is
// pulled for the first time, a gateway or the platform itself may lose patience.
const platformTries = 3

// platformError is the status code of a "whisk internal error".
const platformError = 3

// cut reports whether a call ended before the runtime could answer, in a way that need not last: a gateway ended the wait,
// or the platform gave up. An image that cannot be pulled cannot be pulled a second later either.
func cut(run entity.Activation, err error) bool {
	if err != nil {
		return fault.Is(err, fault.Timeout) || fault.Is(err, fault.Unavailable)
	}
	return run.StatusCode == platformError && !bytes.Contains(run.Result, []byte("Failed to pull"))
}

// follow looks at an activation until it is done.
func (c *Compute) follow(ctx context.Context, run entity.Activation, err error) (entity.Activation, error) {
	for pause := pollFirst; err == nil && !run.Done; pause = min(pause*3/2, pollLast) {
		if err := parallel.Sleep(ctx, pause); err != nil {
			return run, err
		}
		started := run.ID
		run, err = c.client.activation(ctx, started)
		if fault.Is(err, fault.NotFound) { // its record is written when it ends
			run, err = entity.Activation{ID: started}, nil
		}
	}
	return run, err
}

// GetActivation reads the record of a call once more: logs are collected after the run.
func (c *Compute) GetActivation(ctx context.Context, id string) (entity.Activation, error) {
	return c.client.activation(ctx, id)
}
