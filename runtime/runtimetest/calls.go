package runtimetest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fn-runtime/runtime/entity"
)

// Call implements site.Caller.
func (c *Compute) Call(ctx context.Context, id entity.ID) (got entity.Activation, err error) {
	err = c.do(ctx, "POST runtime "+id.Name, func() error {
		r, exists := c.runtimes[id.String()]
		if !exists {
			return notFound(id.Name)
		}
		got = MetadataActivation("3.11", "3.7.0")
		if c.Run != nil {
			got = c.Run(r)
		}
		got.ID, got.Done = fmt.Sprintf("activation-%d", len(c.calls)), true
		c.calls = append(c.calls, got)
		return nil
	})
	if err != nil || c.CallDuration == 0 {
		return got, err
	}
	select {
	case <-time.After(c.CallDuration):
		return got, nil
	case <-ctx.Done():
		return entity.Activation{}, context.Cause(ctx)
	}
}

// GetActivation implements site.Caller.
func (c *Compute) GetActivation(ctx context.Context, id string) (got entity.Activation, err error) {
	err = c.do(ctx, "GET call "+id, func() error {
		run := c.call(id)
		if run == nil {
			return notFound(id)
		}
		got = *run
		return nil
	})
	return got, err
}

// MetadataActivation returns the activation of a working runtime.
func MetadataActivation(python, lithops string) entity.Activation {
	data, _ := json.Marshal(map[string]any{
		"preinstalls": [][]any{{"numpy", true}, {"six", false}}, "python_version": python, "lithops_version": lithops,
	})
	return entity.Activation{Success: true, Status: "success", Result: data, DurationMS: 120, InitMS: 80, WaitMS: 5}
}

// FailedActivation returns an activation that failed with an error and a log.
func FailedActivation(message string, logs ...string) entity.Activation {
	data, _ := json.Marshal(map[string]string{"error": message})
	return entity.Activation{Status: "action developer error", StatusCode: 2, Result: data, Logs: logs}
}

// AddLog appends a line to the log of an activation.
func (c *Compute) AddLog(id, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if run := c.call(id); run != nil {
		run.Logs = append(run.Logs, line)
	}
}

// call returns an activation by its ID. It returns nil if there is none.
func (c *Compute) call(id string) *entity.Activation {
	for i := range c.calls {
		if c.calls[i].ID == id {
			return &c.calls[i]
		}
	}
	return nil
}
