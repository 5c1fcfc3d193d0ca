package openwhisk

import (
	"context"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
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
	for pause := pollFirst; err == nil && !run.Done; pause = min(pause*3/2, pollLast) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return run, context.Cause(ctx)
		}
		started := run.ID
		run, err = c.client.activation(ctx, started)
		if fault.Is(err, fault.NotFound) { // its record is written when it ends
			run, err = entity.Activation{ID: started}, nil
		}
	}
	return run, err
}

// Called reads the record of a call once more: logs are collected after the run.
func (c *Compute) Called(ctx context.Context, id string) (entity.Activation, error) {
	return c.client.activation(ctx, id)
}
