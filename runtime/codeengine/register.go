package codeengine

import (
	"context"
	"maps"
	"slices"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Register makes a runtime or brings it to what is given. Its code is put into a config map before, unless the image has
// it inside, and so is the secret of the registry. Variables of others stay.
func (c *Compute) Register(ctx context.Context, r entity.Registered, code lithops.Bundle) (entity.Registered, error) {
	job := c.definition(r, code)
	notes := maps.Clone(r.Notes)
	notes[entity.NoteRevision] = revision(job)
	if err := job.annotate(notes); err != nil {
		return r, err
	}
	for range c.RequiredResources() {
		if _, err := c.CreateResource(ctx, entity.Resource{}); err != nil {
			return r, err
		}
	}
	if err := c.provide(ctx, job, code); err != nil {
		return r, err
	}
	stored, err := c.put(ctx, job, r.Revision != "")
	if err == nil && revision(stored) != revision(job) { // spelt in the service's own way: nothing is concluded from the note
		delete(notes, entity.NoteRevision)
		if err = job.annotate(notes); err == nil {
			stored, err = c.put(ctx, job, true)
		}
	}
	if err != nil {
		return r, err
	}
	registered := c.registered(stored)
	if plain(stored.Image) == plain(r.Reference) {
		registered.Reference = r.Reference
	}
	return registered, nil
}

// definition is the job of a runtime, as the client makes it but for the way in which the code comes to it.
func (c *Compute) definition(r entity.Registered, code lithops.Bundle) jobDoc {
	job := jobDoc{
		Name: r.ID.Name, Image: r.Reference, Commands: []string{lithops.JobPython}, Arguments: []string{lithops.JobEntry}, Mode: "task", ArraySpec: "0",
		CPU: lithops.FormatCPU(r.MilliCPU), Memory: lithops.FormatMemory(r.MemoryMB), MaxExecutionTime: r.TimeoutMS / 1000, RetryLimit: 3,
		Env: []variable{literal(actionEnv, "run"), literal(typeEnv, runtimeType), literal(versionEnv, c.o.Contract.Version)},
	}
	if c.credentials() {
		job.ImageSecret = registrySecretName
	}
	if r.Note(entity.NoteCode) != entity.CodeInImage {
		job.Commands, job.Arguments = lithops.Bootstrap(codeFolder + "/" + codeKey)
		job.Mounts = []mount{{Type: "config_map", Reference: c.codeName(code), Path: codeFolder}}
	}
	return job
}

// put makes a job, or changes the one that is there, which there tells as far as it is known: a running client must not
// meet a gap.
func (c *Compute) put(ctx context.Context, job jobDoc, there bool) (stored jobDoc, err error) {
	for try := range conflictTries {
		if try > 1 { // a job that is being deleted is still there for a moment
			if err := parallel.Sleep(ctx, min(pollFirst<<try, pollLast)); err != nil {
				return stored, err
			}
		}
		if !there {
			stored, err = c.client.createJob(ctx, job)
			if !fault.Is(err, fault.Conflict) {
				return stored, err
			}
		}
		have, readErr := c.client.getJob(ctx, job.Name)
		if fault.Is(readErr, fault.NotFound) {
			there = false
			continue
		}
		if readErr != nil {
			return stored, readErr
		}
		c.see(have)
		changed := job
		changed.Env = append(slices.Clip(changed.Env), others(have.Env)...)
		stored, err = c.client.changeJob(ctx, have, changed)
		switch {
		case err == nil:
			c.lost(job.Name)
			return stored, nil
		case fault.Is(err, fault.NotFound):
			there = false
		case fault.Is(err, fault.Conflict):
			there = true
		default:
			return stored, err
		}
	}
	return stored, err
}
